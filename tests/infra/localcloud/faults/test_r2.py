"""What S3 clients see of each fault in front of R2: boto3 and obstore."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import botocore.exceptions
import httpx
import obstore.exceptions
import pytest

from infra.localcloud.faults import Faults
from infra.localcloud.r2 import R2
from tests.infra.localcloud.faults.serving import log, plan, rule, serving
from tests.infra.localcloud.r2.running import Account, open_account

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PUT = "PUT /clips/key"


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[R2]:
    with serving(R2(tmp_path_factory.mktemp("r2"), faults=faults)) as r2:
        yield r2


@pytest.fixture
def account(server: R2, faults: Faults) -> Iterator[Account]:
    account = open_account(server, "clips")
    yield account
    faults.use(plan())
    account.s3().delete_object(Bucket="clips", Key="key")


@pytest.fixture
def s3(account: Account) -> "S3Client":
    return account.s3()


@pytest.mark.parametrize(
    ("fault", "more", "status", "code"),
    [
        ("too_many", {"retry_after_s": 3}, 429, "TooManyRequests"),
        ("server_error", {}, 500, "InternalError"),
        ("server_error", {"status": 503}, 503, "ServiceUnavailable"),
        ("expired_token", {}, 401, "Unauthorized"),
    ],
)
def test_boto3_reads_the_refusal_and_nothing_was_stored(
    s3: "S3Client", faults: Faults, fault: str, more: dict[str, int], status: int, code: str
) -> None:
    faults.use(plan(rule("r2", "PUT *", fault, nth=2, **more)))
    before = len(faults.calls)
    s3.put_object(Bucket="clips", Key="key", Body=b"first")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        s3.put_object(Bucket="clips", Key="key", Body=b"second" * 100_000)
    answer = refused.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert answer["ResponseMetadata"]["HTTPHeaders"].get("retry-after") == ("3" if status == 429 else None)
    assert s3.get_object(Bucket="clips", Key="key")["Body"].read() == b"first"
    assert log(faults, before) == [(PUT, "", 200), (PUT, fault, status), ("GET /clips/key", "", 200)]


@pytest.mark.parametrize(("fault", "stored"), [("lost_request", False), ("lost_response", True)])
def test_a_lost_call_ends_the_connection_before_or_after_it_was_handled(
    s3: "S3Client", faults: Faults, fault: str, stored: bool
) -> None:
    faults.use(plan(rule("r2", "PUT *", fault, nth=1)))
    before = len(faults.calls)
    with pytest.raises((botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)):
        s3.put_object(Bucket="clips", Key="key", Body=b"body")
    assert ("Contents" in s3.list_objects_v2(Bucket="clips")) == stored
    assert log(faults, before)[0] == (PUT, fault, 0)


def test_a_refused_head_has_no_body_and_the_connection_stays_usable(s3: "S3Client", faults: Faults) -> None:
    s3.put_object(Bucket="clips", Key="key", Body=b"body")
    faults.use(plan(rule("r2", "HEAD *", "server_error", nth=1)))
    with pytest.raises(botocore.exceptions.ClientError, match="500"):
        s3.head_object(Bucket="clips", Key="key")
    assert s3.head_object(Bucket="clips", Key="key")["ContentLength"] == 4


def test_latency_comes_before_the_answer(s3: "S3Client", faults: Faults) -> None:
    s3.put_object(Bucket="clips", Key="key", Body=b"body")
    faults.use(plan(rule("r2", "GET *", "latency", latency_ms=1_500, nth=1)))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "clips", "Key": "key"})
    begun = time.monotonic()
    assert httpx.get(url, timeout=120).content == b"body"
    assert time.monotonic() - begun >= 1.49, "a loop may wake a clock tick early, never more"


def test_obstore_reads_the_refusal_too(account: Account, faults: Faults) -> None:
    store = account.obstore()
    faults.use(plan(rule("r2", "PUT *", "server_error", nth=1), rule("r2", "PUT *", "lost_response", nth=2)))
    for said in ("500", "error sending request|connection"):
        with pytest.raises(obstore.exceptions.BaseError, match=said):
            store.put("key", b"body")
    assert bytes(store.get("key").bytes()) == b"body"
