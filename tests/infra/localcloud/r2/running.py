"""Runs R2 in a thread with a loop of its own, so that a test may call blocking clients directly."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import boto3
import obstore.store
from botocore.config import Config

from infra.localcloud.r2 import R2, Permission

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECRET = "not-a-real-secret"
_SESSION = boto3.session.Session()


@contextmanager
def running(r2: R2) -> Iterator[R2]:
    """`with running(R2(tmp_path)) as r2:` serves until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="r2")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(r2.start(), loop).result(120)
        yield r2
    finally:
        asyncio.run_coroutine_threadsafe(r2.stop(), loop).result(120)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(120)
        loop.close()


@dataclass(frozen=True)
class Account:
    """A bucket and a key for it."""

    url: str
    bucket: str
    access_key_id: str
    secret: str = SECRET

    def s3(self, *, checksums: Literal["when_required", "when_supported"] = "when_required") -> "S3Client":
        """boto3 as R2 wants it; `when_supported` is its default, which R2 refuses."""
        config = Config(
            signature_version="s3v4",
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
            retries={"total_max_attempts": 1},
        )
        return _SESSION.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret,
            region_name="auto",
            config=config,
        )

    def obstore(self, prefix: str | None = None) -> obstore.store.S3Store:
        return obstore.store.S3Store(
            self.bucket,
            prefix=prefix,
            endpoint=self.url,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret,
            region="auto",
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "connect_timeout": "60s", "timeout": "120s"},
            retry_config={"max_retries": 0},
        )


def open_account(r2: R2, bucket: str, permission: Permission = "write") -> Account:
    """Makes the bucket unless it is there, and a key for it."""
    if not r2.control.has_bucket(bucket):
        r2.control.create_bucket(bucket)
    access_key_id = f"key-{bucket}-{permission}"
    r2.control.grant(access_key_id, SECRET, bucket, permission)
    return Account(r2.url, bucket, access_key_id)


def stored_files(state: Path) -> set[str]:
    """Every blob in a state folder, finished or not."""
    folders = [state / "blobs", state / "incoming"]
    return {file.name for folder in folders for file in folder.rglob("*") if file.is_file()}


class SettableClock:
    """Unix time that a test moves, or lets stand still at a moment."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.ahead = 0.0
        self.stopped_at: float | None = None

    def __call__(self) -> float:
        return self._now() + self.ahead if self.stopped_at is None else self.stopped_at
