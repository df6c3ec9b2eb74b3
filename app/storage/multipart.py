"""MultipartUploads on boto3, imported when it is first needed or when all is quiet after the start.

The three settings that R2 needs are explicit: boto3's own defaults send checksums and bodies that R2 refuses.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from app.settings import R2Settings
from app.storage.port import (
    PartRefusedError,
    StoreRefusedError,
    StoreUnavailableError,
    UploadedPart,
    UploadGoneError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_T = TypeVar("_T")
_GONE = frozenset({"NoSuchUpload", "404"})
_PART_ERRORS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


class Boto3Uploads:
    """MultipartUploads (`app.storage.port`) for one bucket; calls run in threads, the client is shared."""

    def __init__(self, settings: R2Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    async def create(self, key: str, content_type: str) -> str:
        def call(client: "S3Client") -> str:
            return client.create_multipart_upload(Bucket=self._bucket, Key=key, ContentType=content_type)["UploadId"]

        return await self._run(call)

    async def parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        def call(client: "S3Client") -> list[UploadedPart]:
            pages = client.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
            return [
                UploadedPart(part["PartNumber"], part["Size"], part["ETag"].strip('"'))
                for page in pages
                for part in page.get("Parts", [])
            ]

        return await self._run(call)

    async def complete(self, key: str, upload_id: str, parts: list[UploadedPart]) -> None:
        def call(client: "S3Client") -> None:
            client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [{"PartNumber": p.part_number, "ETag": f'"{p.etag}"'} for p in parts]},
            )

        await self._run(call)

    async def abort(self, key: str, upload_id: str) -> None:
        def call(client: "S3Client") -> None:
            client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)

        try:
            await self._run(call)
        except UploadGoneError:
            return

    async def warm_up(self) -> None:
        await asyncio.to_thread(self._shared_client)

    @property
    def _bucket(self) -> str:
        return self._settings.bucket

    async def _run(self, call: Callable[["S3Client"], _T]) -> _T:
        return await asyncio.to_thread(self._run_in_thread, call)

    def _run_in_thread(self, call: Callable[["S3Client"], _T]) -> _T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call(self._shared_client())
        except ClientError as error:
            raise _translated(str(error.response["Error"]["Code"]), _status(error)) from error
        except BotoCoreError as error:
            raise StoreUnavailableError("storage did not answer about the upload; try again in a moment") from error

    def _shared_client(self) -> "S3Client":
        with self._lock:
            if self._client is None:
                self._client = _new_client(self._settings)
            return self._client


def _new_client(settings: R2Settings) -> "S3Client":
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name="auto",
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key.get_secret_value(),
        config=Config(
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
            connect_timeout=3,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )


def _status(error: Exception) -> int:
    response = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))


def _translated(code: str, status: int) -> Exception:
    if code in _GONE:
        return UploadGoneError(code)
    if code in _PART_ERRORS:
        return PartRefusedError(code)
    if status in (429, 408) or status >= 500:
        return StoreUnavailableError(f"storage answered {status} {code} about the upload; try again in a moment")
    return StoreRefusedError(f"storage refused the upload call with {status} {code}; check the R2_* settings")
