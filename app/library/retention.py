"""Which old records stay for a restore, and giving up the others.

A record is given up by writing a tombstone over it, never by deleting it: a writer that stalled for any length of time
still finds its number taken. Bases of records that stay, stay.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from app.kit.owner import Owner
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.record import (
    MAX_HEADER_BYTES,
    MAX_PATCHES,
    TOMBSTONE_BYTES,
    Header,
    Place,
    encode,
    parse,
    parse_header,
)
from app.storage.keys import Keys
from app.storage.port import ListedObject, ObjectStore

ALL_FOR = timedelta(hours=48)
HOURLY_FOR = timedelta(days=7)
DAILY_FOR = timedelta(days=30)
_LOGGER = logging.getLogger(__name__)


class Written(NamedTuple):
    """A record's number, and when it came to be by the store's clock."""

    seq: int
    at: datetime


def kept(records: Iterable[Written], now: datetime) -> set[int]:
    """Of all records the newest; each of the last 48 hours; the last of each hour for 7 days, of each day for 30."""
    ordered = sorted(records)
    stays = {ordered[-1].seq} if ordered else set()
    last_of: dict[str, int] = {}
    for seq, at in ordered:
        age = now - at
        if age <= ALL_FOR:
            stays.add(seq)
        elif age <= HOURLY_FOR:
            last_of[f"{at:%Y-%m-%d %H}"] = seq
        elif age <= DAILY_FOR:
            last_of[f"{at:%Y-%m-%d}"] = seq
    return stays | set(last_of.values())


def tombstone_of(header: Header, record_sha256: str, *, with_writers: bool) -> bytes:
    """What stays of a record: its place in the chain and its nonce. The same bytes whoever buries it."""
    return encode(
        Header(
            kind="tombstone",
            user_id=header.user_id,
            profile_id=header.profile_id,
            generation=header.generation,
            seq=header.seq,
            prev_sha256=header.prev_sha256,
            nonce=header.nonce,
            writers=header.writers if with_writers else (),
            committed_at=header.committed_at if with_writers else "",
            buried_sha256=record_sha256,
        )
    )


def _firsts_of_runs(numbers: set[int]) -> list[int]:
    """Those whose predecessor is not among them, in order."""
    return sorted(number for number in numbers if number - 1 not in numbers)


class Retention:
    """Buries what need not stay, in one library. May be ended at any point and run by several at once."""

    def __init__(self, objects: ObjectStore, keys: Keys, owner: Owner, clock: Callable[[], datetime]) -> None:
        self._objects = objects
        self._keys = keys
        self._owner = owner
        self._clock = clock

    async def apply(self, generation: int) -> int:
        """The number of records buried. Raises what `app.storage.port` raises."""
        listed = await self._objects.list_infos(self._keys.log_prefix(self._owner, generation))
        living = sorted(record for info in listed if (record := self._living(info)) is not None)
        stays = kept(living, self._clock())
        doomed = {record.seq for record in living} - stays
        for first in _firsts_of_runs(stays):
            if not doomed.isdisjoint(range(first - MAX_PATCHES, first)):
                doomed -= await self._bases(Place(self._owner, generation, first))
        buried = 0
        # What needs another goes first, so that ending midway leaves no record without its base.
        for seq in sorted(doomed, reverse=True):
            buried += await self.bury(Place(self._owner, generation, seq), with_writers=True)
        return buried

    def _living(self, info: ListedObject) -> Written | None:
        """None for a tombstone, and for what is no record."""
        try:
            record = Written(self._keys.log_seq(info.key), info.modified_at)
        except ValueError as error:
            _LOGGER.error("%s", error)
            return None
        return record if info.size_bytes != TOMBSTONE_BYTES else None

    async def _bases(self, first: Place) -> set[int]:
        """What the first record of a run that stays may be built on; those after it are built on that or on the run."""
        header = await self._header(first)
        if header is None or header.kind == "tombstone":
            return set(range(first.seq - MAX_PATCHES, first.seq))
        return {header.base_seq} if header.kind == "delta" else set()

    async def bury(self, place: Place, *, with_writers: bool) -> bool:
        """Whether there was a record with content; one that does not decode is left as it is."""
        key = self._keys.log_record(place.owner, place.generation, place.seq)
        stored = await self._objects.get(key)
        if stored is None:
            return False
        try:
            record = parse(stored.body, place)
        except (NewerSchemaError, UnreadableLibraryError) as error:
            _LOGGER.error("%s is not buried: %s", place, error)
            return False
        if record.header.kind not in ("full", "delta"):
            return False
        tombstone = tombstone_of(record.header, record.sha256, with_writers=with_writers)
        return await self._objects.replace(key, tombstone, stored.etag) is not None

    async def _header(self, place: Place) -> Header | None:
        start = await self._objects.peek(self._keys.log_record(*place), MAX_HEADER_BYTES)
        try:
            return parse_header(start, place) if start is not None else None
        except (NewerSchemaError, UnreadableLibraryError) as error:
            _LOGGER.error("%s stays: %s", place, error)
            return None
