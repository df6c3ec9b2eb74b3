"""Erases all that is stored of a user. Every step may be ended at any point: the next run does what is left.

First a marker: an `erased` record behind the newest of each library, so that every process finds at its next request an
empty library, whose numbers go on in the next generation. Then the content: records are overwritten by tombstones
without names, all else is deleted. 48 hours later another run deletes what came late. Markers and tombstones stay for
good: however long a process was frozen, it finds its number taken, and then the marker.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.kit.clock import rfc3339
from app.kit.owner import Owner
from app.library.bookkeeping import ERASER_SESSION
from app.library.errors import BusyLibraryError, NewerSchemaError, UnreadableLibraryError
from app.library.head import Commit, Head, closed_head, empty_head
from app.library.log import RecordLog
from app.library.record import Header, Place, Record, parse
from app.library.retention import tombstone_of
from app.library.versions import Version, each_of, end_after, header_of, list_versions, versions_among
from app.storage.keys import Keys
from app.storage.port import ListedObject, ObjectStore

SWEEP_AFTER = timedelta(hours=48)
"""By then no upload that was permitted before is still under way."""
_DEADLINE_S = 10.0
_TRIES = 30


class Profile(NamedTuple):
    """What is stored of one profile. `versions` newest first; `markers` are those that end a generation, newest first.

    `others`: all objects that are no records of its library.
    """

    owner: Owner
    versions: Sequence[Version]
    markers: Sequence[Version]
    others: Sequence[ListedObject]

    @property
    def is_closed(self) -> bool:
        """Erased, and nothing was committed since."""
        return bool(self.markers) and self.markers[0] == self.versions[0]

    @property
    def is_reused(self) -> bool:
        return bool(self.markers) and not self.is_closed

    @property
    def with_content(self) -> list[Version]:
        return [version for version in self.versions if not version.is_given_up and version not in self.markers]

    def doomed(self) -> list[Version]:
        """Records of generations that have ended, but for the markers."""
        ended = {marker.place.generation for marker in self.markers}
        return [each for each in self.versions if each.place.generation in ended and each not in self.markers]

    def is_doomed(self, other: ListedObject) -> bool:
        """Whether it is of an erased library: of one that is used again, what is older than the last marker."""
        return not self.is_reused or other.modified_at < self.markers[0].at


class Stored(NamedTuple):
    """All of a user; `strays` lie beside the profiles, `jobs` are markers of unfinished jobs."""

    profiles: Sequence[Profile]
    strays: Sequence[ListedObject]
    jobs: Sequence[ListedObject]

    def doomed_objects(self) -> list[ListedObject]:
        reused = {profile.owner.profile_id: profile for profile in self.profiles if profile.is_reused}
        since = min((profile.markers[0].at for profile in reused.values()), default=None)
        doomed = [other for profile in self.profiles for other in profile.others if profile.is_doomed(other)]
        doomed += [stray for stray in self.strays if since is None or stray.modified_at < since]
        for job in self.jobs:
            profile = reused.get(_profile_of_job(job.key))
            if profile is None or profile.is_doomed(job):
                doomed.append(job)
        return doomed

    @property
    def is_nothing(self) -> bool:
        return not (self.profiles or self.strays or self.jobs)


class Erased(NamedTuple):
    """What a run did. `sweep_at`: from when on another run finds all that came late; None when this one did."""

    closed: int
    overwritten: int
    deleted: int
    sweep_at: datetime | None


class Eraser:
    """Of one user. Any number may run at once, and beside writers."""

    def __init__(
        self,
        objects: ObjectStore,
        keys: Keys,
        user_id: str,
        clock: Callable[[], datetime],
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._objects = objects
        self._keys = keys
        self._user_id = user_id
        self._clock = clock
        self._deadline_s = deadline_s

    async def survey(self) -> Stored:
        """What there is; of records only the newest of each generation is looked at.

        Objects are listed before versions: what a library that is used again has made is then seen to be its own.
        """
        found: dict[str, list[ListedObject]] = {}
        strays = []
        for info in await self._objects.list_infos(self._keys.user_prefix(self._user_id)):
            try:
                found.setdefault(self._keys.profile_id(info.key), []).append(info)
            except ValueError:
                strays.append(info)
        jobs = await self._objects.list_infos(f"{self._keys.pending_prefix}{self._user_id}/")
        profiles = await each_of(
            sorted(found.items()), lambda item: self._profile(Owner(self._user_id, item[0]), item[1])
        )
        return Stored(profiles, strays, jobs)

    def must_close(self, profile: Profile, *, again: bool) -> bool:
        """Whether its marker is still to be written; with `again` also where it is used again after an erasure."""
        return not profile.markers or (again and profile.is_reused)

    def is_due(self, marker: Version) -> bool:
        return self._clock() - marker.at >= SWEEP_AFTER

    async def erase(self, *, again: bool = False) -> Erased:
        """Raises what `app.storage.port` raises, and BusyLibraryError: run it again."""
        closing = [profile for profile in (await self.survey()).profiles if self.must_close(profile, again=again)]
        await each_of(closing, self._close)
        stored = await self.survey()
        overwritten = 0
        for profile in stored.profiles:
            overwritten += sum(await each_of(profile.doomed(), lambda version: self._wipe(version.place)))
        doomed = stored.doomed_objects()
        await each_of(doomed, lambda info: self._objects.delete(info.key))
        return Erased(len(closing), overwritten, len(doomed), self.sweep_at(stored))

    def sweep_at(self, stored: Stored) -> datetime | None:
        """When nothing can come any more for the generation that ended last."""
        waiting = [
            marker.at + SWEEP_AFTER
            for profile in stored.profiles
            for marker in profile.markers
            if not self.is_due(marker)
        ]
        return max(waiting, default=None)

    async def _profile(self, owner: Owner, infos: Sequence[ListedObject]) -> Profile:
        records = {self._keys.log_record(*version.place) for version in versions_among(self._keys, owner, infos)}
        versions = await list_versions(self._objects, self._keys, owner)
        last = {version.place.generation: version for version in reversed(versions)}
        markers = [version for version in last.values() if await self._is_marker(version)]
        others = [info for info in infos if info.key not in records]
        return Profile(
            owner, versions, sorted(markers, key=lambda marker: marker.place.generation, reverse=True), others
        )

    async def _is_marker(self, version: Version) -> bool:
        try:
            return (await header_of(self._objects, self._keys, version)).kind == "erased"
        except (NewerSchemaError, UnreadableLibraryError):
            return False

    async def _close(self, profile: Profile) -> None:
        """End the newest generation, whatever others write meanwhile."""
        log = RecordLog(self._objects, self._keys, profile.owner, self._deadline_s)
        end = await self._end(profile)
        generation = end.generation
        for _ in range(_TRIES):
            if end.generation != generation:
                return
            _, body = closed_head(end, Commit((ERASER_SESSION,), rfc3339(self._clock())))
            taken = await log.append(end.next_place, body)
            if taken is None:
                return
            end = await asyncio.to_thread(_end_after, end.next_place, taken)
        raise BusyLibraryError(f"other writers were faster {_TRIES} times; try again in a moment")

    async def _end(self, profile: Profile) -> Head:
        if not profile.versions:
            return empty_head(profile.owner)
        place = profile.versions[0].place
        stored = await self._objects.get(self._keys.log_record(*place))
        if stored is None:
            raise UnreadableLibraryError(f"{place} is not there any more; try again in a moment")
        return await asyncio.to_thread(_end_after, place, stored.body)

    async def _wipe(self, place: Place) -> bool:
        """Whether there was anything but a tombstone without names."""
        key = self._keys.log_record(*place)
        for _ in range(_TRIES):
            stored = await self._objects.get(key)
            if stored is None:
                return False
            tombstone = await asyncio.to_thread(_tombstone, stored.body, place)
            if tombstone == stored.body:
                return False
            if await self._objects.replace(key, tombstone, stored.etag) is not None:
                return True
        raise BusyLibraryError(f"{place} changes faster than it can be overwritten; try again in a moment")


def _end_after(place: Place, body: bytes) -> Head:
    """Also behind what another release wrote: erasing needs nothing of its content."""
    try:
        return end_after(place, body)
    except NewerSchemaError:
        return empty_head(place.owner, place.generation, place.seq, hashlib.sha256(body).hexdigest())


def _tombstone(body: bytes, place: Place) -> bytes:
    """What does not decode is content as well: of its bytes the hash stays."""
    sha256 = hashlib.sha256(body).hexdigest()
    try:
        record = parse(body, place)
    except (NewerSchemaError, UnreadableLibraryError):
        record = Record(_unknown(place), sha256, None, ())
    buried = record.header.buried_sha256 if record.header.kind == "tombstone" else sha256
    return tombstone_of(record.header, buried, with_writers=False)


def _unknown(place: Place) -> Header:
    user_id, profile_id = place.owner
    return Header(
        kind="full",
        user_id=user_id,
        profile_id=profile_id,
        generation=place.generation,
        seq=place.seq,
        prev_sha256="",
        nonce="",
        writers=(),
        committed_at="",
    )


def _profile_of_job(key: str) -> str:
    """Of a key that `Keys.pending_job` made, else one that is no profile's."""
    parts = key.split("/")
    return parts[4] if len(parts) > 4 else ""
