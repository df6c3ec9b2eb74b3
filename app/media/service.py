"""What may be done with media. Other domains use the functions at the end, inside their own transaction."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.jobs.job import Job, JobQueue, submit
from app.kit.clock import now, rfc3339
from app.kit.errors import AppError, FieldError, InvalidError
from app.kit.ids import new_id
from app.kit.owner import Owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.media import store
from app.media.errors import (
    MediaInUseError,
    MediaNotFoundError,
    MediaNotReadyError,
    UploadClosedError,
    UploadMismatchError,
)
from app.media.reconcile import mismatches
from app.media.schemas import CompletedPart, Media, MediaUrl, NewMedia, PartUrls, UploadStarted
from app.media.store import MediaRow
from app.media.uploads import first_urls, part_urls
from app.storage.keys import Keys
from app.storage.parts import plan_parts
from app.storage.port import PartRefusedError, Storage, UploadedPart, UploadGoneError
from gpu.plan.spec import ProbeInfo

PROBE_JOB = "probe"
PURGE_JOB = "purge-media"
_PLAY_URL_LIFETIME_S = 6 * 3600
_LOGGER = logging.getLogger(__name__)


class MediaService:
    def __init__(
        self,
        libraries: Libraries,
        storage: Storage,
        keys: Keys,
        queue: JobQueue,
        needed_by: Callable[[sqlite3.Connection, str], str | None],
    ) -> None:
        """`needed_by`: who, beyond what the tables themselves refer to, still reads an object (by its key)."""
        self._needed_by = needed_by
        self._libraries = libraries
        self._storage = storage
        self._keys = keys
        self._queue = queue

    async def start_upload(self, owner: Owner, intent: Intent, new: NewMedia) -> UploadStarted:
        """Opens a multipart upload, then commits the row; the bucket's lifecycle aborts one left by a crash."""
        media_id = new_id("med")
        key = self._keys.media(owner, media_id)
        upload_id = await self._storage.uploads.create(key, new.content_type)
        row = MediaRow(
            id=media_id,
            filename=new.filename,
            content_type=new.content_type,
            size_bytes=new.size_bytes,
            object_key=key,
            upload_id=upload_id,
            status="uploading",
            error=None,
            probe_json=None,
            created_at=rfc3339(now()),
        )

        def insert(db: sqlite3.Connection) -> MediaRow:
            store.insert(db, row)
            return row

        committed = await self._libraries.commit(owner, intent, insert, MediaRow)
        if committed.id != media_id:
            await self._abort_quietly(row)
        return UploadStarted(media=committed.public(now()), upload=first_urls(self._storage.presign, committed))

    async def part_urls(self, owner: Owner, media_id: str, numbers: Sequence[int]) -> PartUrls:
        row = await self._open_upload(owner, media_id)
        try:
            return part_urls(self._storage.presign, row, numbers)
        except ValueError as error:
            raise InvalidError(str(error), errors=[FieldError("part_numbers", str(error))]) from error

    async def complete(self, owner: Owner, intent: Intent, media_id: str, parts: Sequence[CompletedPart]) -> Media:
        """Joins the parts after comparing them; repeating it after a lost answer gives the same media."""
        async with self._libraries.read(owner) as db:
            row = find(db, media_id)
        if row.status != "uploading":
            return _not_failed(row).public(now())
        await self._join(row, parts)

        def set_probing(db: sqlite3.Connection) -> MediaRow:
            store.set_probing(db, media_id)
            return find(db, media_id)

        committed = await submit(
            self._queue,
            Job(owner, PROBE_JOB, media_id),
            lambda: self._libraries.commit(owner, intent, set_probing, MediaRow),
            lambda done: done.status == "probing",
        )
        return committed.public(now())

    async def abort(self, owner: Owner, intent: Intent, media_id: str) -> None:
        async with self._libraries.read(owner) as db:
            row = find(db, media_id)
        if row.status != "uploading":
            raise UploadClosedError(f"media {media_id} is {row.status}: there is no upload to cancel")
        await self._storage.uploads.abort(row.object_key, row.upload_id)

        def remove(db: sqlite3.Connection) -> MediaRow:
            store.remove_upload(db, media_id)
            return row

        await self._libraries.commit(owner, intent, remove, MediaRow)

    async def delete(self, owner: Owner, intent: Intent, media_id: str) -> None:
        """The row first: a crash then leaves bytes that a job removes, never a row without bytes."""

        def remove(db: sqlite3.Connection) -> MediaRow:
            row = find(db, media_id)
            needed_by = self._needed_by(db, row.object_key)
            if needed_by is not None:
                raise MediaInUseError(f"media {media_id} is needed by {needed_by}; let it complete or delete it first")
            if not store.delete(db, media_id):
                raise MediaInUseError(f"media {media_id} belongs to a game; delete the game first")
            return row

        async def commit() -> MediaRow:
            row = await self._libraries.commit(owner, intent, remove, MediaRow)
            await self._queue.stop(Job(owner, PROBE_JOB, media_id))
            if row.status == "uploading":
                # Before the bytes: a completion on its way either finds no upload or made what is then deleted.
                await self._abort_quietly(row)
            return row

        await submit(self._queue, Job(owner, PURGE_JOB, media_id), commit, lambda _: True)

    async def all(self, owner: Owner) -> list[Media]:
        async with self._libraries.read(owner) as db:
            return store.find_all(db)

    async def one(self, owner: Owner, media_id: str) -> Media:
        async with self._libraries.read(owner) as db:
            return find(db, media_id).public(now())

    async def url(self, owner: Owner, media_id: str) -> MediaUrl:
        async with self._libraries.read(owner) as db:
            row = find(db, media_id)
        if row.status == "uploading":
            raise MediaNotReadyError(f"media {media_id} is not uploaded yet")
        signed = self._storage.presign.get(row.object_key, lifetime_s=_PLAY_URL_LIFETIME_S)
        return MediaUrl(url=signed.url, expires_at=rfc3339(signed.expires_at))

    async def _open_upload(self, owner: Owner, media_id: str) -> MediaRow:
        async with self._libraries.read(owner) as db:
            row = find(db, media_id)
        status = row.status_at(now())
        if status != "uploading":
            raise UploadClosedError(f"media {media_id} is {status}: start a new upload")
        return row

    async def _join(self, row: MediaRow, parts: Sequence[CompletedPart]) -> None:
        """Afterwards the object is there with the declared size."""
        plan = plan_parts(row.size_bytes)
        try:
            stored = await self._storage.uploads.parts(row.object_key, row.upload_id)
            wrong = mismatches(plan, parts, stored)
            if wrong:
                raise UploadMismatchError("; ".join(error.message for error in wrong[:3]), errors=wrong)
            wanted = [UploadedPart(part.part_number, part.size_bytes, part.etag) for part in stored]
            await self._storage.uploads.complete(row.object_key, row.upload_id, wanted)
        except UploadGoneError:
            _LOGGER.info("upload of media %s is gone; an earlier completion may have succeeded", row.id)
        except PartRefusedError as error:
            raise UploadMismatchError(f"the store does not join the parts: {error}") from error
        info = await self._storage.objects.head(row.object_key)
        if info is None:
            raise UploadClosedError(f"the upload of media {row.id} expired or was cancelled: start a new one")
        if info.size_bytes != row.size_bytes:
            raise UploadMismatchError(f"the file has {info.size_bytes} bytes, {row.size_bytes} were declared")

    async def _abort_quietly(self, row: MediaRow) -> None:
        try:
            await self._storage.uploads.abort(row.object_key, row.upload_id)
        except AppError as error:
            _LOGGER.warning("an unused upload stays until the bucket's lifecycle aborts it: %s", error)


class ReadyMedia(NamedTuple):
    """Media that can be cut: its object and its facts."""

    id: str
    object_key: str
    probe: ProbeInfo


def find(db: sqlite3.Connection, media_id: str) -> MediaRow:
    """Raises MediaNotFoundError."""
    row = store.find(db, media_id)
    if row is None:
        raise MediaNotFoundError(f"there is no media {media_id}")
    return row


def ready(db: sqlite3.Connection, media_id: str) -> ReadyMedia:
    """Raises MediaNotFoundError or MediaNotReadyError."""
    row = find(db, media_id)
    probe = row.probe
    if row.status != "ready" or probe is None:
        raise MediaNotReadyError(f"media {media_id} is {row.status_at(now())}; wait until it is ready")
    return ReadyMedia(row.id, row.object_key, probe)


def probes(db: sqlite3.Connection) -> dict[str, ProbeInfo]:
    """The facts of all media that are ready, by id."""
    return store.find_probes(db)


def _not_failed(row: MediaRow) -> MediaRow:
    if row.status == "failed":
        raise UploadClosedError(f"media {row.id} failed: {row.error}")
    return row
