"""The create-only record log of one library. A number is taken once, ever; the nonce in the bytes tells by whom."""

import asyncio
import time

from app.kit.owner import Owner
from app.storage.keys import Keys
from app.storage.port import ObjectStore, StoreUnavailableError

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class RecordLog:
    def __init__(self, objects: ObjectStore, keys: Keys, owner: Owner, deadline_s: float) -> None:
        self._objects = objects
        self._keys = keys
        self._owner = owner
        self._deadline_s = deadline_s

    async def newest(self) -> tuple[int, bytes] | None:
        """Number and bytes of the newest record; None for a library that was never written."""
        listed = await self._objects.list(self._keys.log_prefix(self._owner), limit=1)
        if not listed:
            return None
        seq = self._keys.log_seq(listed[0])
        body = await self.get(seq)
        if body is None:
            raise StoreUnavailableError(f"record {seq} was listed but not found; try again in a moment")
        return seq, body

    async def get(self, seq: int) -> bytes | None:
        stored = await self._objects.get(self._keys.log_record(self._owner, seq))
        return stored.body if stored else None

    async def append(self, seq: int, body: bytes) -> bytes | None:
        """None once `body` is record `seq` for good, or the bytes of another writer's record that is.

        A lost answer is followed by the same bytes again; StoreUnavailableError after the deadline says that nobody
        knows yet.
        """
        key = self._keys.log_record(self._owner, seq)
        give_up = time.monotonic() + self._deadline_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                if await self._objects.create(key, body) is not None:
                    return None
                taken = await self._objects.get(key)
                if taken is not None:
                    return None if taken.body == body else taken.body
            except StoreUnavailableError:
                if time.monotonic() + pause > give_up:
                    raise
            else:
                if time.monotonic() + pause > give_up:
                    raise StoreUnavailableError(f"record {seq} exists but cannot be read; try again in a moment")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
