"""The create-only record log of one library. A number is taken once, ever; the nonce in the bytes tells by whom."""

import asyncio

from app.kit.owner import Owner
from app.library.errors import UnreadableLibraryError
from app.library.record import Place
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

    async def newest(self, generation: int) -> tuple[Place, bytes] | None:
        """The newest record of a generation; None when it has none. Raises UnreadableLibraryError."""
        listed = await self._objects.list(self._keys.log_prefix(self._owner, generation), limit=1)
        if not listed:
            return None
        try:
            place = Place(self._owner, generation, self._keys.log_seq(listed[0]))
        except ValueError as error:
            raise UnreadableLibraryError(f"{error}; nothing else may lie in a log: delete it") from error
        body = await self.get(place)
        if body is None:
            raise StoreUnavailableError(f"record {place.seq} was listed but not found; try again in a moment")
        return place, body

    async def get(self, place: Place) -> bytes | None:
        stored = await self._objects.get(self._key(place))
        return stored.body if stored else None

    async def append(self, place: Place, body: bytes) -> bytes | None:
        """None once `body` is the record at `place` for good, or the bytes of another writer's record that is.

        A lost answer is followed by the same bytes again; StoreUnavailableError after the deadline says that nobody
        knows yet.
        """
        key = self._key(place)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._deadline_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                if await self._objects.create(key, body) is not None:
                    return None
                taken = await self._objects.get(key)
                if taken is not None:
                    return None if taken.body == body else taken.body
            except StoreUnavailableError:
                if loop.time() + pause > give_up:
                    raise
            else:
                if loop.time() + pause > give_up:
                    raise StoreUnavailableError(f"record {place.seq} exists but cannot be read; try again in a moment")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _key(self, place: Place) -> str:
        return self._keys.log_record(self._owner, place.generation, place.seq)
