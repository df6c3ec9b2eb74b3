"""Reads every record of a library and says what is wrong with it. Holds a base and a version at a time."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from app.kit.errors import AppError
from app.kit.owner import Owner
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.head import Head, base_image_of, empty_head, unpack
from app.library.record import Header, Place, Record, parse
from app.library.versions import Version, end_after, header_of, list_versions
from app.storage.keys import Keys
from app.storage.port import ObjectStore, ObjectTooLargeError

_BY_HAND = "no command mends this; keep the objects as they are and look into them"


class Finding(NamedTuple):
    """What is wrong with a version, and what to do about it."""

    version: int
    what: str
    advice: str


class _Seen(NamedTuple):
    """A record as it is: `end` is where the log goes on behind it, `header` None where it does not decode.

    `damage` is "" for none; `advice` "" where it depends on other records.
    """

    end: Head
    header: Header | None
    damage: str = ""
    advice: str = ""


class Verification:
    """Of one library: go through `findings` to the end; `checked` is then the number of records."""

    def __init__(self, objects: ObjectStore, keys: Keys, owner: Owner) -> None:
        self.checked = 0
        self._objects = objects
        self._keys = keys
        self._owner = owner
        self._sound: Version | None = None
        self._base: tuple[int, str, bytes] | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        """Oldest first. What is given up or swept while this runs may be named: verify again."""
        versions = (await list_versions(self._objects, self._keys, self._owner))[::-1]
        ended = await self._ended(versions)
        end = empty_head(self._owner)
        for version, after in zip(versions, [*versions[1:], None], strict=False):
            seen = await self._look(version, is_newest=after is None)
            for finding in self._wrongs(version, after, seen, end, is_ended=version.place.generation in ended):
                yield finding
            self.checked += 1
            end = seen.end

    async def _ended(self, versions: Sequence[Version]) -> set[int]:
        """Generations whose last record is the marker of an erasure."""
        ended = set()
        for version in {version.place.generation: version for version in versions}.values():
            try:
                if (await header_of(self._objects, self._keys, version)).kind == "erased":
                    ended.add(version.place.generation)
            except (UnreadableLibraryError, NewerSchemaError):
                continue
        return ended

    def _wrongs(
        self, version: Version, after: Version | None, seen: _Seen, end: Head, *, is_ended: bool
    ) -> Iterator[Finding]:
        """`end` is where the log went on behind the record before this one."""
        number, generation, header = version.number, version.place.generation, seen.header
        if seen.damage:
            yield Finding(number, seen.damage, seen.advice or self._advice(is_newest=after is None))
        # A generation that ended is emptied: of its numbers only the last has to be there.
        if not is_ended and version.place != end.next_place:
            yield Finding(number, f"was to be version {end.next_place.seq}: records before it are missing", _BY_HAND)
        if version.place == end.next_place and header and _breaks_chain(header, end):
            yield Finding(number, "does not continue the record before it: one of the two was changed", _BY_HAND)
        if is_ended and header and header.kind in ("full", "delta"):
            yield Finding(number, "has content, though it was erased", "run `erase` again")
        if not is_ended and after is not None and after.place.generation != generation:
            yield Finding(number, f"does not end generation {generation}, and there is a later one", _BY_HAND)

    def _advice(self, *, is_newest: bool) -> str:
        if not is_newest:
            return "it cannot be restored any more; later versions are looked at by themselves"
        return f"run `restore --version {self._sound.number}`" if self._sound else "no version is sound; " + _BY_HAND

    async def _look(self, version: Version, *, is_newest: bool) -> _Seen:
        place = version.place
        end, header = empty_head(*place), None
        try:
            stored = await self._objects.get(self._keys.log_record(*place))
            if stored is None:
                return _Seen(end, None, "was listed, but is not there")
            end = await asyncio.to_thread(end_after, place, stored.body)
            record = await asyncio.to_thread(parse, stored.body, place)
            header = record.header
            await self._require_sound(record, place, is_newest=is_newest)
        except NewerSchemaError as error:
            return _Seen(end, header, _reason(error), "verify with the release that wrote it")
        except (UnreadableLibraryError, ObjectTooLargeError) as error:
            return _Seen(end, header, _reason(error))
        if header.kind != "tombstone":
            self._sound = version if header.kind != "erased" else None
        return _Seen(end if header.nonce else empty_head(*place), header)

    async def _require_sound(self, record: Record, place: Place, *, is_newest: bool) -> None:
        """Raises UnreadableLibraryError, NewerSchemaError."""
        kind = record.header.kind
        if kind == "tombstone" and is_newest:
            raise UnreadableLibraryError("its content was given up, and nothing came after it")
        if kind not in ("full", "delta"):
            return
        base_image = await self._base_image(record, place) if record.base is None else None
        head = await asyncio.to_thread(unpack, record, place, None, base_image)
        if record.base is not None and not record.patches:
            self._base = (place.seq, record.sha256, head.image)
        if is_newest:
            found, said = await asyncio.to_thread(require_database, head.image), record.header.schema_version
            if found != said:
                raise UnreadableLibraryError(f"holds schema {found}, not {said} as it says")

    async def _base_image(self, record: Record, place: Place) -> bytes:
        """Raises UnreadableLibraryError."""
        header = record.header
        if self._base is None or self._base[:2] != (header.base_seq, header.base_sha256):
            base_place = place._replace(seq=header.base_seq)
            stored = await self._objects.get(self._keys.log_record(*base_place))
            if stored is None:
                raise UnreadableLibraryError(f"its base, version {header.base_seq}, is not there")
            base = await asyncio.to_thread(parse, stored.body, base_place)
            if base.header.kind == "tombstone":
                raise UnreadableLibraryError(f"its base, version {header.base_seq}, was given up")
            image = await asyncio.to_thread(base_image_of, base, base_place, header.base_sha256)
            self._base = (header.base_seq, header.base_sha256, image)
        return self._base[2]


def _breaks_chain(header: Header, end: Head) -> bool:
    """A tombstone without nonce is what an erasure made of damage: of neither side of it is the hash known."""
    is_known = bool(end.record_sha256) or end.seq == 0
    return bool(header.nonce) and is_known and header.prev_sha256 != end.record_sha256


def require_database(image: bytes) -> int:
    """The schema version of an image that is whole; raises UnreadableLibraryError with what SQLite says of it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(image)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            verdicts = [" ".join(row[0].split()) for row in connection.execute("PRAGMA integrity_check(3)")]
        # What it says of damaged text need not be UTF-8.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise UnreadableLibraryError(f"is no database: {error}") from error
    if verdicts != ["ok"]:
        raise UnreadableLibraryError(f"is corrupt: {', '.join(verdicts)}")
    return int(version)


def _reason(error: AppError) -> str:
    """Without the advice, which here depends on what else there is."""
    return error.detail.partition(";")[0]
