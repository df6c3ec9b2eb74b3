"""The plan that a log replaces: the whole library under one key, read, changed and swapped by GET and PUT If-Match.

R2 takes one write a second of a key and answers 429 above it. Every writer tries again after a pause of random length.
"""

import asyncio
import math
import random

import zstandard

from app.kit.owner import Owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.write import Handler, Reply
from app.storage.keys import Keys
from app.storage.port import ObjectStore, StoreUnavailableError
from bench.library.files import applied

_LEVEL = 3
_MAX_IMAGE_BYTES = 64_000_000
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class GaveUpError(Exception):
    """The measuring was over before this writer got its turn; nothing of it is written."""


class SwappedLibraries(Libraries):
    """Only `commit`; idempotency and conflicts of sessions are left out, to the baseline's advantage.

    `give_up_at`, by the event loop's clock: no commit tries again after it.
    """

    def __init__(self, objects: ObjectStore, keys: Keys, seed: int = 0) -> None:
        super().__init__(objects, keys)
        self._store = objects
        self._prefix = keys
        self._random = random.Random(f"swapped/{seed}")
        self.give_up_at = math.inf

    async def found(self, owner: Owner, image: bytes) -> None:
        """Put the first version there."""
        await self._store.create(self._key(owner), zstandard.compress(image, _LEVEL))

    async def commit(self, owner: Owner, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> Reply:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                answer = await self._swap(owner, handler)
            except StoreUnavailableError:
                answer = None
            if answer is not None:
                return answer
            if asyncio.get_running_loop().time() >= self.give_up_at:
                raise GaveUpError
            await asyncio.sleep(self._random.uniform(0, pause))
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _swap(self, owner: Owner, handler: Handler[Reply]) -> Reply | None:
        """None when another writer was faster."""
        key = self._key(owner)
        found = await self._store.get(key)
        if found is None:
            raise LookupError(f"there is no library {key}")
        image = zstandard.ZstdDecompressor().decompress(found.body, max_output_size=_MAX_IMAGE_BYTES)
        answer, changed = await asyncio.to_thread(applied, image, handler)
        swapped = await self._store.replace(key, zstandard.compress(changed, _LEVEL), found.etag)
        return None if swapped is None else answer

    def _key(self, owner: Owner) -> str:
        return self._prefix.legacy_database(owner)
