"""What may be done with exports."""

import sqlite3

from app.clips import service as clips_service
from app.exports import store, transitions
from app.exports.live import LiveExports
from app.exports.schemas import FINAL, ExportJob, ExportMessage, NewExport, NewFramingExport, message_for
from app.exports.store import ExportRow
from app.jobs.job import Job, JobQueue, submit
from app.jobs.renderer import Renderer
from app.kit.clock import now, rfc3339
from app.kit.ids import new_id
from app.kit.metrics import EXPORTS
from app.kit.owner import Owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.media import service as media_service
from app.projects import service as projects_service
from app.reels import service as reels_service
from app.storage.keys import Keys

EXPORT_JOB = "export"


class ExportsService:
    def __init__(
        self, libraries: Libraries, keys: Keys, queue: JobQueue, renderer: Renderer, live: LiveExports
    ) -> None:
        self._libraries = libraries
        self._keys = keys
        self._queue = queue
        self._renderer = renderer
        self.live = live

    async def create(self, owner: Owner, intent: Intent, new: NewExport) -> ExportJob:
        """The row exists only once everything about it is valid; its recipe is frozen here."""
        export_id = new_id("exp")

        def insert(db: sqlite3.Connection) -> ExportRow:
            row = _new_row(db, self._keys, owner, export_id, new)
            store.insert(db, row)
            return row

        row = await submit(
            self._queue,
            Job(owner, EXPORT_JOB, export_id),
            lambda: self._libraries.commit(owner, intent, insert, ExportRow),
            lambda made: made.id == export_id,
        )
        return self._public(row)

    async def all(self, owner: Owner) -> list[ExportJob]:
        async with self._libraries.read(owner) as db:
            return [self._public(row) for row in store.find_all(db)]

    async def one(self, owner: Owner, export_id: str) -> ExportJob:
        async with self._libraries.read(owner) as db:
            return self._public(transitions.find(db, export_id))

    async def cancel(self, owner: Owner, intent: Intent, export_id: str) -> ExportJob:
        """First the row, which posts the end of the call, then the work: whoever still renders cannot complete it."""

        def cancel(db: sqlite3.Connection) -> ExportRow:
            row = transitions.find(db, export_id)
            return transitions.cancel(db, export_id, self.live.of(row))

        row = await self._libraries.commit(owner, intent, cancel, ExportRow)
        await self._queue.stop(Job(owner, EXPORT_JOB, export_id))
        self.live.announce(owner, row)
        EXPORTS.add(row.kind, row.status)
        return self._public(row)

    async def delete(self, owner: Owner, intent: Intent, export_id: str) -> None:
        """The row first, then what an attempt that did not complete may have left in the store."""
        async with self._libraries.read(owner) as db:
            row = store.find(db, export_id)

        async def commit() -> ExportRow:
            return await self._libraries.commit(owner, intent, lambda db: transitions.delete(db, export_id), ExportRow)

        if row is None:
            # 404, or the answer that was given before under the same idempotency key.
            await commit()
        else:
            job = reels_service.purge_job(owner, row.recipe_sha256, export_id)
            await submit(self._queue, job, commit, lambda _: True)

    async def retry(self, owner: Owner, intent: Intent, export_id: str) -> ExportJob:
        row = await submit(
            self._queue,
            Job(owner, EXPORT_JOB, export_id),
            lambda: self._libraries.commit(owner, intent, lambda db: transitions.retry(db, export_id), ExportRow),
            lambda row: row.status not in FINAL,
        )
        self.live.announce(owner, row)
        return self._public(row)

    async def look(self, owner: Owner, export_id: str) -> ExportMessage | None:
        """For a listener whose export runs in another process: where it is now. None when it runs here."""
        if self._queue.holds(Job(owner, EXPORT_JOB, export_id)):
            return None
        async with self._libraries.read(owner) as db:
            row = transitions.find(db, export_id)
        elsewhere = row.status == "running" and row.renderer == self._renderer.name
        progress = await self._renderer.progress(row.progress_key) if elsewhere else None
        return message_for(row.public(progress))

    def _public(self, row: ExportRow) -> ExportJob:
        return row.public(self.live.of(row))


def reader_of(db: sqlite3.Connection, object_key: str) -> str | None:
    """Who still reads this object to make a reel."""
    export_id = store.find_incomplete_of(db, object_key)
    return f"export {export_id}" if export_id else None


def _new_row(db: sqlite3.Connection, keys: Keys, owner: Owner, export_id: str, new: NewExport) -> ExportRow:
    if isinstance(new, NewFramingExport):
        source = projects_service.framing_source(db, new.project_id)
    else:
        source = clips_service.extraction(db, new.clip_id)
    recipe = source.recipe
    at = rfc3339(now())
    return ExportRow(
        id=export_id,
        kind=recipe.kind,
        project_id=source.project_id,
        clip_id=source.clip_id,
        recipe_json=recipe.model_dump_json(),
        recipe_sha256=recipe.sha256,
        source_key=media_service.ready(db, recipe.media_id).object_key,
        output_key=keys.render(owner, recipe.sha256, export_id),
        title=source.title,
        status="pending",
        attempt=1,
        restarts=0,
        renderer=None,
        call_id=None,
        result_json=None,
        phase="queued",
        frames_done=0,
        frames_total=recipe.frames_total,
        reel_id=None,
        error_code=None,
        error_message=None,
        created_at=at,
        updated_at=at,
    )
