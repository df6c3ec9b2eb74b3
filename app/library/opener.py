"""From records to versions: the newest one from cold, or the one after a version that is known."""

import asyncio
import logging

from app.kit.clock import rfc3339
from app.kit.owner import SYSTEM_SESSION, Owner
from app.library.errors import UnreadableLibraryError
from app.library.head import Commit, Head, base_image_of, continues, empty_head, next_head, unpack
from app.library.legacy import LegacyDatabase
from app.library.log import RecordLog
from app.library.record import Place, Record, parse
from app.storage.port import StoreUnavailableError

_TRIES = 3
_LOGGER = logging.getLogger(__name__)


class HistoryMovedOnError(Exception):
    """The record is a tombstone: what it held has been given up, so there are newer ones."""


class Opener:
    def __init__(self, owner: Owner, log: RecordLog, legacy: LegacyDatabase) -> None:
        self._owner = owner
        self._log = log
        self._legacy = legacy

    async def newest(self) -> Head:
        """Two requests (three where the newest is a delta); nothing is written but an import, once."""
        tried: set[str] = set()
        for _ in range(_TRIES):
            try:
                return await self._newest()
            except HistoryMovedOnError as error:
                tried.add(str(error))
        if len(tried) == 1:
            raise UnreadableLibraryError(f"{tried.pop()} was given up, and nothing came after it; restore a version")
        raise StoreUnavailableError("this library changes faster than it can be read; try again in a moment")

    async def after(self, head: Head, body: bytes) -> Head:
        """The version in `body`, which stands behind `head`. Raises HistoryMovedOnError, UnreadableLibraryError."""
        place = head.next_place
        record = parse(body, place)
        if record.header.kind != "tombstone" and record.header.prev_sha256 != head.record_sha256:
            raise UnreadableLibraryError(f"{place} does not continue the record before it; restore an earlier version")
        return await self._unpack(record, place, head)

    async def at(self, place: Place, body: bytes) -> Head:
        """The version in `body`, whatever stands before it. Raises HistoryMovedOnError, UnreadableLibraryError."""
        return await self._unpack(await asyncio.to_thread(parse, body, place), place, None)

    async def _newest(self) -> Head:
        generation, erased = 0, None
        while True:
            found = await self._log.newest(generation)
            if found is None:
                return erased or await self._imported() or empty_head(self._owner)
            place, body = found
            head = await self.at(place, body)
            if head.generation == generation:
                return head
            generation, erased = head.generation, head

    async def _unpack(self, record: Record, place: Place, head: Head | None) -> Head:
        if record.header.kind == "tombstone":
            raise HistoryMovedOnError(place)
        if record.header.kind == "erased":
            return empty_head(self._owner, place.generation + 1, place.seq, record.sha256)
        base_image = None
        if record.base is None and not (head is not None and continues(head, record)):
            base_image = await self._base_image(record, place)
        return await asyncio.to_thread(unpack, record, place, head, base_image)

    async def _base_image(self, record: Record, place: Place) -> bytes:
        base_place = place._replace(seq=record.header.base_seq)
        body = await self._log.get(base_place)
        if body is None:
            raise UnreadableLibraryError(f"{place} needs {base_place}, which is not there; restore an earlier version")
        base = await asyncio.to_thread(parse, body, base_place)
        if base.header.kind == "tombstone":
            raise HistoryMovedOnError(base_place)
        return await asyncio.to_thread(base_image_of, base, base_place, record.header.base_sha256)

    async def _imported(self) -> Head | None:
        """What the plan before this one left, made record 1 by whoever comes first."""
        image = await self._legacy.image()
        if image is None:
            return None
        commit = Commit((SYSTEM_SESSION,), rfc3339(self._legacy.clock()))
        head, body = await asyncio.to_thread(next_head, empty_head(self._owner), image, commit)
        taken = await self._log.append(Place(self._owner, 0, 1), body)
        if taken is not None:
            raise HistoryMovedOnError("an import that another process was faster with")
        _LOGGER.warning("library %s/%s was imported from one database", *self._owner)
        return head
