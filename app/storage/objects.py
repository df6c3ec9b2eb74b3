"""ObjectStore on obstore. Its own retries are off: a retried create whose first try landed would read as a conflict."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from app.settings import R2Settings
from app.storage.port import (
    MAX_BODY_BYTES,
    ListedObject,
    ObjectInfo,
    ObjectTooLargeError,
    Stored,
    StoreRefusedError,
    StoreUnavailableError,
)

_REGION = "auto"
_CONNECT_TIMEOUT = timedelta(seconds=3)
_TIMEOUT = timedelta(seconds=10)
_READ_TRIES = 3
_BACKOFF_S = 0.1
_T = TypeVar("_T")


class R2ObjectStore:
    """ObjectStore (`app.storage.port`) over one bucket; reads and deletes are repeated, conditional writes never."""

    def __init__(self, settings: R2Settings) -> None:
        self._store = S3Store(
            settings.bucket,
            endpoint=settings.endpoint,
            region=_REGION,
            access_key_id=settings.access_key_id,
            secret_access_key=settings.secret_access_key.get_secret_value(),
            virtual_hosted_style_request=False,
            disable_bulk_delete=True,
            client_options={
                "allow_http": settings.endpoint.startswith("http://"),
                "connect_timeout": _CONNECT_TIMEOUT,
                "timeout": _TIMEOUT,
            },
            retry_config={"max_retries": 0},
        )

    async def create(self, key: str, body: bytes) -> str | None:
        try:
            return str((await obstore.put_async(self._store, key, body, mode="create", use_multipart=False))["e_tag"])
        except (AlreadyExistsError, PreconditionError):
            return None
        except (BaseError, OSError) as error:
            raise _translated(error, "create", key) from error

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        try:
            return str(
                (await obstore.put_async(self._store, key, body, mode={"e_tag": etag}, use_multipart=False))["e_tag"]
            )
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _translated(error, "replace", key) from error

    async def put(self, key: str, body: bytes) -> str:
        try:
            return str((await obstore.put_async(self._store, key, body))["e_tag"])
        except (BaseError, OSError) as error:
            raise _translated(error, "put", key) from error

    async def get(self, key: str) -> Stored | None:
        async def once() -> Stored | None:
            try:
                found = await obstore.get_async(self._store, key)
                if found.meta["size"] > MAX_BODY_BYTES:
                    raise ObjectTooLargeError(f"{key} has {found.meta['size']} bytes, more than {MAX_BODY_BYTES}")
                return Stored(bytes(await found.bytes_async()), str(found.meta["e_tag"]))
            except FileNotFoundError:
                return None

        return await _repeat(once, "get", key)

    async def peek(self, key: str, size_bytes: int) -> bytes | None:
        async def once() -> bytes | None:
            try:
                return bytes(await obstore.get_range_async(self._store, key, start=0, length=size_bytes))
            except FileNotFoundError:
                return None
            except BaseError:
                # Of an empty object no range can be had (416).
                info = await self.head(key)
                if info is not None and info.size_bytes == 0:
                    return b""
                raise

        return await _repeat(once, "peek", key)

    async def head(self, key: str) -> ObjectInfo | None:
        async def once() -> ObjectInfo | None:
            try:
                found = await obstore.head_async(self._store, key)
            except FileNotFoundError:
                return None
            return ObjectInfo(found["size"], str(found["e_tag"]))

        return await _repeat(once, "head", key)

    async def delete(self, key: str) -> None:
        async def once() -> None:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                return

        await _repeat(once, "delete", key)

    async def list(self, prefix: str, limit: int) -> list[str]:
        async def once() -> list[str]:
            keys: list[str] = []
            async for chunk in obstore.list(self._store, prefix, chunk_size=limit):
                keys += [item["path"] for item in chunk]
                if len(keys) >= limit:
                    break
            return sorted(keys)[:limit]

        return await _repeat(once, "list", prefix)

    async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
        async def once() -> Sequence[ListedObject]:
            found = await obstore.list(self._store, prefix, chunk_size=1000).collect_async()
            infos = [ListedObject(o["path"], o["size"], str(o["e_tag"]), o["last_modified"]) for o in found]
            return sorted(infos)

        return await _repeat(once, "list", prefix)


async def _repeat(once: Callable[[], Awaitable[_T]], what: str, key: str) -> _T:
    for attempt in range(1, _READ_TRIES + 1):
        try:
            return await once()
        except (BaseError, OSError) as error:
            translated = _translated(error, what, key)
            if attempt == _READ_TRIES or isinstance(translated, StoreRefusedError):
                raise translated from error
        await asyncio.sleep(_BACKOFF_S * 2**attempt)
    raise AssertionError("the last try returns or raises")


def _translated(error: Exception, what: str, key: str) -> StoreUnavailableError | StoreRefusedError:
    """The cause keeps obstore's text for the log; what the caller sees has no address in it."""
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StoreRefusedError(f"storage refused to {what} {key}; check R2_ACCESS_KEY_ID and its permissions")
    return StoreUnavailableError(f"storage did not {what} {key}; try again in a moment")
