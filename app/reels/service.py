"""What may be done with reels. Exports use `add` inside the transaction that completes them."""

import re
import sqlite3
from collections.abc import Sequence

from app.clips import service as clips_service
from app.jobs.job import Job, JobQueue, submit
from app.kit.clock import now, rfc3339
from app.kit.ids import new_id
from app.kit.owner import Owner
from app.kit.recipe import RenderSource
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.projects import service as projects_service
from app.reels import store
from app.reels.errors import ReelNotFoundError
from app.reels.schemas import Download, Reel
from app.reels.store import FoundReel, ReelRow
from app.storage.port import Presigner
from gpu.contract import RenderResult

PURGE_JOB = "purge-render"
_DOWNLOAD_LIFETIME_S = 3600
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
_MAX_TITLE = 100


class ReelsService:
    def __init__(self, libraries: Libraries, presign: Presigner, queue: JobQueue) -> None:
        self._libraries = libraries
        self._presign = presign
        self._queue = queue

    async def all(self, owner: Owner) -> list[Reel]:
        async with self._libraries.read(owner) as db:
            return _public(db, store.find_all(db))

    async def one(self, owner: Owner, reel_id: str) -> Reel:
        async with self._libraries.read(owner) as db:
            return _public(db, [_find(db, reel_id)])[0]

    async def delete(self, owner: Owner, intent: Intent, reel_id: str) -> None:
        """The row first: a crash then leaves bytes that a job removes, never a reel without bytes."""
        async with self._libraries.read(owner) as db:
            reel = store.find(db, reel_id)

        def remove(db: sqlite3.Connection) -> FoundReel:
            found = _find(db, reel_id)
            store.delete(db, reel_id)
            return found

        async def commit() -> FoundReel:
            return await self._libraries.commit(owner, intent, remove, FoundReel)

        if reel is None:
            # 404, or the answer that was given before under the same idempotency key.
            await commit()
        else:
            job = purge_job(owner, reel.recipe_sha256, reel.export_id)
            await submit(self._queue, job, commit, lambda _: True)

    async def download(self, owner: Owner, reel_id: str) -> Download:
        async with self._libraries.read(owner) as db:
            reel = _find(db, reel_id)
        filename = download_name(reel.title, reel.version)
        signed = self._presign.get(reel.object_key, lifetime_s=_DOWNLOAD_LIFETIME_S, filename=filename)
        return Download(url=signed.url, filename=filename, expires_at=rfc3339(signed.expires_at))


def add(db: sqlite3.Connection, export_id: str, source: RenderSource, object_key: str, result: RenderResult) -> str:
    """The id of the new reel, the next version of its project or clip."""
    row = ReelRow(
        id=new_id("rel"),
        export_id=export_id,
        project_id=source.project_id,
        clip_id=source.clip_id,
        version=store.next_version(db, source.project_id, source.clip_id),
        recipe_sha256=source.recipe.sha256,
        object_key=object_key,
        title=source.title,
        width=result.width,
        height=result.height,
        frame_count=result.frame_count,
        fps_num=result.fps_num,
        fps_den=result.fps_den,
        duration_ms=result.duration_ms,
        size_bytes=result.size_bytes,
        sha256=result.sha256,
        created_at=rfc3339(now()),
    )
    store.insert(db, row)
    return row.id


def holds(db: sqlite3.Connection, object_key: str) -> bool:
    """Whether a reel is made of this object."""
    return store.has_object(db, object_key)


def purge_job(owner: Owner, recipe_sha256: str, export_id: str) -> Job:
    """Its id is all that the key of a rendered file is made of: the row that had the key may be gone."""
    return Job(owner, PURGE_JOB, f"{recipe_sha256}-{export_id}")


def purged_render(job: Job) -> tuple[str, str]:
    """Recipe hash and export id of a `purge_job`."""
    recipe_sha256, _, export_id = job.id.partition("-")
    return recipe_sha256, export_id


def download_name(title: str, version: int) -> str:
    """A name that every file system takes."""
    return f"{_UNSAFE.sub('-', title).strip(' .')[:_MAX_TITLE] or 'reel'}-v{version}.mp4"


def _find(db: sqlite3.Connection, reel_id: str) -> FoundReel:
    row = store.find(db, reel_id)
    if row is None:
        raise ReelNotFoundError(f"there is no reel {reel_id}")
    return row


def _public(db: sqlite3.Connection, rows: Sequence[FoundReel]) -> list[Reel]:
    present = {**projects_service.recipe_hashes(db), **clips_service.recipe_hashes(db)}
    return [
        Reel(
            **row.model_dump(include=set(Reel.model_fields) - {"current"}),
            current=row.newest and present.get(row.project_id or row.clip_id or "") == row.recipe_sha256,
        )
        for row in rows
    ]
