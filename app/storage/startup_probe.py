"""Asks the store, before anything is served, whether it honours conditional writes: without them commits would be lost.

Four writes to two fresh keys: create, refused second create, refused stale replace, create elsewhere.
"""

import asyncio
import logging
import secrets

from app.kit.errors import AppError
from app.storage.keys import Keys
from app.storage.port import ObjectStore, StoreUnavailableError

_TRIES = 5
_LOGGER = logging.getLogger(__name__)
_PAUSE_S = 1.1


class ConditionalWritesError(RuntimeError):
    """The store overwrote what it had to keep; the process must not serve."""


async def probe_conditional_writes(objects: ObjectStore, keys: Keys) -> None:
    """Raises ConditionalWritesError, or what `app.storage.port` raises when the store stays silent or refuses."""
    nonce = secrets.token_hex(12)
    first, second = keys.startup_probe(f"{nonce}-1"), keys.startup_probe(f"{nonce}-2")
    try:
        await _create(objects, first, b"first", expect_created=True)
        await _create(objects, first, b"second", expect_created=False)
        await _refused_replace(objects, first)
        await _create(objects, second, b"first", expect_created=True)
        kept = await objects.get(first)
        if kept is None or kept.body != b"first":
            raise ConditionalWritesError(
                f"the store did not keep {first}: it holds {kept and kept.body!r}, not b'first'"
            )
    finally:
        await _tidy(objects, first)
        await _tidy(objects, second)


async def _tidy(objects: ObjectStore, key: str) -> None:
    """What stays is a few bytes; it is no reason not to serve, and hides no other reason."""
    try:
        await objects.delete(key)
    except AppError as error:
        _LOGGER.warning("%s stays in the bucket: %s", key, error)


async def _create(objects: ObjectStore, key: str, body: bytes, *, expect_created: bool) -> None:
    created = await _patiently(objects, key, body) is not None
    if created == expect_created:
        return
    did = "created an object that exists" if created else "refused to create a new object"
    raise ConditionalWritesError(f"the store {did} ({key}, If-None-Match: *); use a bucket with conditional writes")


async def _patiently(objects: ObjectStore, key: str, body: bytes) -> str | None:
    """R2 allows one write a second for each key and answers 429 above: unavailable is asked again."""
    for attempt in range(1, _TRIES + 1):
        try:
            return await objects.create(key, body)
        except StoreUnavailableError:
            stored = await objects.get(key)
            if stored is not None and stored.body == body:
                return stored.etag
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_S)
    raise AssertionError("the last try returns or raises")


async def _refused_replace(objects: ObjectStore, key: str) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            replaced = await objects.replace(key, b"third", '"00000000000000000000000000000000"')
            break
        except StoreUnavailableError:
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_S)
    if replaced is not None:
        raise ConditionalWritesError(f"the store replaced {key} against If-Match; use a bucket with conditional writes")
