"""The versions of a library as the store lists them, and choosing one of them. No content is read."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from app.kit.clock import rfc3339
from app.kit.errors import ConflictError, NotFoundError
from app.kit.owner import Owner
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.head import Head, empty_head
from app.library.record import MAX_HEADER_BYTES, TOMBSTONE_BYTES, Header, Place, parse, parse_header
from app.storage.keys import Keys
from app.storage.port import ListedObject, ObjectStore

_AT_ONCE = 8
Unknown = UnreadableLibraryError | NewerSchemaError
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


class NoSuchVersionError(NotFoundError):
    code = "no_such_version"
    title = "No such version"


class VersionGivenUpError(ConflictError):
    """The content of this version is gone."""

    code = "version_given_up"
    title = "Version was given up"


class Version(NamedTuple):
    """A record that is there; `at` is when it came to be or was given up, by the store's clock."""

    place: Place
    size_bytes: int
    at: datetime

    @property
    def number(self) -> int:
        return self.place.seq

    @property
    def is_given_up(self) -> bool:
        return self.size_bytes == TOMBSTONE_BYTES


async def list_versions(objects: ObjectStore, keys: Keys, owner: Owner) -> list[Version]:
    """Of all generations, newest first."""
    return versions_among(keys, owner, await objects.list_infos(keys.library_prefix(owner)))


def versions_among(keys: Keys, owner: Owner, infos: Iterable[ListedObject]) -> list[Version]:
    """Those objects that are records of this library, newest first."""
    found = []
    for info in infos:
        place = _place_of(keys, owner, info.key)
        if place is not None:
            found.append(Version(place, info.size_bytes, info.modified_at))
    return sorted(found, key=lambda version: version.place[1:], reverse=True)


async def header_of(objects: ObjectStore, keys: Keys, version: Version) -> Header:
    """Raises UnreadableLibraryError, also when there is no record; NewerSchemaError for another format."""
    # An empty object has no range that could be asked for.
    start = await objects.peek(keys.log_record(*version.place), MAX_HEADER_BYTES) if version.size_bytes else None
    if start is None:
        raise UnreadableLibraryError(f"{version.place} is empty or not there")
    return parse_header(start, version.place)


async def headers_of(objects: ObjectStore, keys: Keys, versions: Sequence[Version]) -> list[Header | Unknown]:
    """In the same order; the error instead of a header that cannot be read."""

    async def look(version: Version) -> Header | Unknown:
        try:
            return await header_of(objects, keys, version)
        except (UnreadableLibraryError, NewerSchemaError) as error:
            return error

    return await each_of(versions, look)


async def each_of(items: Iterable[_Item], do: Callable[[_Item], Awaitable[_Found]]) -> list[_Found]:
    """What `do` gives for each, in order; a few at once. The first error ends the rest."""
    permits = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _Item) -> _Found:
        async with permits:
            return await do(item)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def end_after(place: Place, body: bytes) -> Head:
    """Where the log goes on when `body` is its last record, whether or not that decodes.

    Only its position and hash count. Raises NewerSchemaError for another format.
    """
    try:
        record = parse(body, place)
    except UnreadableLibraryError:
        return empty_head(place.owner, place.generation, place.seq, hashlib.sha256(body).hexdigest())
    if record.header.kind == "erased":
        return empty_head(place.owner, place.generation + 1, place.seq, record.sha256)
    sha256 = record.header.buried_sha256 if record.header.kind == "tombstone" else record.sha256
    return empty_head(place.owner, place.generation, place.seq, sha256)


def numbered(versions: Sequence[Version], number: int) -> Version:
    """The kept version of this number; raises NoSuchVersionError or VersionGivenUpError."""
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        raise NoSuchVersionError(f"there is no version {number}; {_nearest(versions, number)}")
    if found.is_given_up:
        raise given_up(versions, number)
    return found


def at_time(versions: Sequence[Version], moment: datetime) -> Version:
    """The newest kept version at or before `moment`; raises NoSuchVersionError."""
    kept = [version for version in versions if not version.is_given_up]
    found = next((version for version in kept if version.at <= moment), None)
    if found is not None:
        return found
    if not kept:
        raise NoSuchVersionError("no version has content")
    oldest = f"{kept[-1].number} ({rfc3339(kept[-1].at)})"
    raise NoSuchVersionError(f"no version from {rfc3339(moment)} or before is kept; the oldest is {oldest}")


def given_up(versions: Sequence[Version], number: int) -> VersionGivenUpError:
    return VersionGivenUpError(f"version {number} was given up; {_nearest(versions, number)}")


def _nearest(versions: Sequence[Version], number: int) -> str:
    """The kept ones before and after, in words."""
    kept = sorted(version for version in versions if not version.is_given_up and version.number != number)
    before = [version for version in kept if version.number < number][-1:]
    after = [version for version in kept if version.number > number][:1]
    near = " and ".join(f"{version.number} ({rfc3339(version.at)})" for version in before + after)
    return f"the nearest kept: {near}" if near else "none is kept"


def _place_of(keys: Keys, owner: Owner, key: str) -> Place | None:
    """None for a key that `Keys.log_record` does not make."""
    generation, _, rest = key.removeprefix(keys.library_prefix(owner)).partition("/")
    if not (generation.isascii() and generation.isdigit() and rest.startswith("log/") and rest[4:].isdigit()):
        return None
    try:
        place = Place(owner, int(generation), keys.log_seq(key))
        return place if keys.log_record(*place) == key else None
    except ValueError:
        return None
