"""Makes an old version the newest by appending a record with its content; nothing is overwritten.

The library's own tables keep their present rows: an answer given under an idempotency key stays given, and an effect
that was carried out is not carried out again. It works behind a record that does not decode, too.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import NamedTuple

from app.kit.clock import rfc3339
from app.kit.owner import Owner
from app.library.bookkeeping import TABLES, note_commit
from app.library.errors import BusyLibraryError, UnreadableLibraryError
from app.library.head import Commit, Head, empty_head, next_head
from app.library.image import open_copy, open_reader
from app.library.intent import Intent
from app.library.legacy import LegacyDatabase
from app.library.log import RecordLog
from app.library.opener import HistoryMovedOnError, Opener
from app.library.record import Place
from app.library.verify import require_database
from app.library.versions import Version, VersionGivenUpError, end_after, given_up, list_versions
from app.storage.keys import Keys
from app.storage.port import ObjectStore

SESSION = "restore"
"""Who committed, as other sessions see it."""
_DEADLINE_S = 10.0
_TRIES = 30


class Present(NamedTuple):
    """`end` is where the log goes on; `head` the newest version that can be read, which need not be the one there."""

    end: Head
    head: Head

    @property
    def is_readable(self) -> bool:
        return self.head.position == self.end.position


class Restore:
    """Of one library. Any number may run at once, and beside writers."""

    def __init__(
        self,
        objects: ObjectStore,
        keys: Keys,
        owner: Owner,
        clock: Callable[[], datetime],
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._objects = objects
        self._keys = keys
        self._owner = owner
        self._clock = clock
        self._log = RecordLog(objects, keys, owner, deadline_s)
        self._opener = Opener(owner, self._log, LegacyDatabase(objects, keys, owner, clock))

    async def versions(self) -> list[Version]:
        return await list_versions(self._objects, self._keys, self._owner)

    async def head(self, version: Version) -> Head:
        """Verified by unpacking, and whole. Raises VersionGivenUpError, UnreadableLibraryError."""
        body = await self._log.get(version.place)
        if body is None:
            raise UnreadableLibraryError(f"{version.place} is not there")
        try:
            return await self._read(version.place, body)
        except HistoryMovedOnError:
            raise given_up(await self.versions(), version.number) from None

    async def present(self, versions: Sequence[Version]) -> Present:
        """Of what was listed; a version without rows where nothing can be read."""
        if not versions:
            return Present(empty_head(self._owner), empty_head(self._owner))
        place = versions[0].place
        body = await self._log.get(place)
        if body is None:
            raise UnreadableLibraryError(f"{place} is not there")
        end = await asyncio.to_thread(end_after, place, body)
        if end.generation != place.generation:
            return Present(end, end)
        return Present(end, await self._newest_readable(versions))

    async def append(self, target: Version) -> int:
        """Make the content of `target` the newest version; its number.

        Raises VersionGivenUpError, UnreadableLibraryError, BusyLibraryError, and StoreUnavailableError when nobody
        knows whether it was done: doing it again is harmless.
        """
        old = await self.head(target)
        end, present = await self.present(await self.versions())
        for _ in range(_TRIES):
            require_present(target, end)
            body = await asyncio.to_thread(_record, end, old.image, present.image, self._clock())
            taken = await self._log.append(end.next_place, body)
            if taken is None:
                return end.next_place.seq
            present = await self._read_or(present, end, taken)
            end = await asyncio.to_thread(end_after, end.next_place, taken)
        raise BusyLibraryError(f"other writers were faster {_TRIES} times; try again in a moment")

    async def _newest_readable(self, versions: Sequence[Version]) -> Head:
        generation = versions[0].place.generation
        for version in versions:
            if version.place.generation == generation and not version.is_given_up:
                try:
                    return await self.head(version)
                except (UnreadableLibraryError, VersionGivenUpError):
                    continue
        return empty_head(self._owner, generation)

    async def _read(self, place: Place, body: bytes) -> Head:
        head = await self._opener.at(place, body)
        try:
            await asyncio.to_thread(require_database, head.image)
        except UnreadableLibraryError as error:
            raise UnreadableLibraryError(f"{place} {error}; restore an earlier version") from error
        return head

    async def _read_or(self, known: Head, end: Head, body: bytes) -> Head:
        """The version that another writer put behind `end`, or `known` where that does not read."""
        try:
            return await self._read(end.next_place, body)
        except (HistoryMovedOnError, UnreadableLibraryError):
            return known


def require_present(target: Version, end: Head) -> None:
    """What was erased does not come back, even before it is overwritten: raises VersionGivenUpError."""
    if target.place.generation != end.generation:
        raise VersionGivenUpError(f"version {target.number} was erased, like all of its generation")


def _record(end: Head, old: bytes, present: bytes, at: datetime) -> bytes:
    """A full record: it needs nothing of those before it."""
    image = restored_image(old, present, end.next_place.seq, at)
    _, body = next_head(end, image, Commit((SESSION,), rfc3339(at)))
    return body


def restored_image(old: bytes, present: bytes, version: int, at: datetime) -> bytes:
    """The rows of `old`, in the newest schema; those of `app.library.bookkeeping` as in `present`, and this commit."""
    with closing(open_copy(old)) as restored, closing(open_reader(present)) as kept:
        restored.execute("BEGIN")
        for table in TABLES:
            _take_over(restored, kept, table)
        note_commit(restored, version, Intent(SESSION), "", at)
        restored.execute("COMMIT")
        return restored.serialize()


def _take_over(restored: sqlite3.Connection, kept: sqlite3.Connection, table: str) -> None:
    rows = kept.execute(f"SELECT * FROM {table}")  # noqa: S608 -- one of TABLES
    places = ", ".join("?" * len(rows.description))
    restored.execute(f"DELETE FROM {table}")  # noqa: S608
    restored.executemany(f"INSERT INTO {table} VALUES ({places})", map(tuple, rows))  # noqa: S608
    # A number that was given out once names no other row, however old the rows are.
    restored.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    numbers = kept.execute("SELECT name, seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchall()
    restored.executemany("INSERT INTO sqlite_sequence VALUES (?, ?)", map(tuple, numbers))
