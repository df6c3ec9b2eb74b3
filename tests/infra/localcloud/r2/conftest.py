"""One R2 for the whole room; every test has a bucket of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.localcloud.r2 import R2
from tests.infra.localcloud.r2.running import Account, open_account, running

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_numbers = itertools.count()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of `server`."""
    return tmp_path_factory.mktemp("r2")


@pytest.fixture(scope="session")
def server(state: Path) -> Iterator[R2]:
    with running(R2(state)) as r2:
        yield r2


@pytest.fixture
def account(server: R2) -> Account:
    """A new bucket with a key that may write."""
    return open_account(server, f"bucket-{next(_numbers)}")


@pytest.fixture
def s3(account: Account) -> "Iterator[S3Client]":
    client = account.s3()
    yield client
    client.close()
