"""The R2 stand-in with one bucket and the key that the backend has."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.settings import R2Settings
from app.storage.port import Storage
from app.storage.r2 import open_r2
from infra.localcloud.r2 import R2

BUCKET = "reel-ballers-users"


@pytest.fixture
async def r2(tmp_path: Path) -> AsyncIterator[R2]:
    stand_in = R2(tmp_path / "r2")
    try:
        stand_in.control.create_bucket(BUCKET)
        stand_in.control.grant("the-key", "the-secret", BUCKET, "write")
        await stand_in.start()
        yield stand_in
    finally:
        await stand_in.stop()


@pytest.fixture
def r2_settings(r2: R2) -> R2Settings:
    return R2Settings(r2.url, BUCKET, "the-key", SecretStr("the-secret"))


@pytest.fixture
def storage(r2_settings: R2Settings) -> Storage:
    return open_r2(r2_settings)
