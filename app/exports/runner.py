"""Brings one export from pending to its end, from wherever a former process left it.

COMPLETE is announced only after the commit that adds the reel. A provider that does not answer never fails an export
that may be running; only its own answer, a missing output or time does.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import BaseModel

from app.exports import effects, store, transitions
from app.exports.errors import SupersededError
from app.exports.live import LiveExports
from app.exports.schemas import FINAL
from app.exports.store import ExportRow
from app.jobs.job import Job, Outcome
from app.jobs.renderer import CallLostError, Renderer, RendererUnavailableError
from app.kit.errors import UnavailableError
from app.kit.metrics import EXPORTS
from app.library.intent import SYSTEM
from app.library.libraries import Libraries
from app.storage.port import Storage
from gpu.contract import RenderRequest

OUTPUT_CONTENT_TYPE = "video/mp4"
_URL_LIFETIME_S = 12 * 3600
_MAX_RESTARTS = 5
_START_TRIES = 4
_START_PAUSE_S = 1.0
_LOGGER = logging.getLogger(__name__)


class _Noted(BaseModel):
    """The row that now has the call's id; None when it moved on."""

    row: ExportRow | None


class ExportRunner:
    """JobKind (`app.jobs.job`)."""

    def __init__(self, libraries: Libraries, storage: Storage, renderer: Renderer, live: LiveExports) -> None:
        self._libraries = libraries
        self._storage = storage
        self._renderer = renderer
        self._live = live
        self.slots = renderer.slots

    async def run(self, job: Job) -> Outcome:
        row = await self._find(job)
        if row is None:
            return Outcome.NOT_FOUND
        try:
            while row.status not in FINAL:
                row = await self._step(job, row)
        except SupersededError:
            row = await self._find(job)
            return Outcome.DONE if row is None or row.status in FINAL else Outcome.TAKEN_OVER
        return Outcome.DONE

    async def discard(self, job: Job) -> None:
        row = await self._find(job)
        if row is not None and row.status not in FINAL:
            await self._fail(job, row, "cleared_at_startup", "the server was restarted and cleared its jobs; try again")

    async def _step(self, job: Job, row: ExportRow) -> ExportRow:
        try:
            if row.status in ("rendered", "finalizing"):
                return await self._finalize(job, row)
            if row.status == "running" and row.call_id and row.renderer == self._renderer.name:
                return await self._wait(job, row, row.call_id)
            return await self._start(job, row)
        except (SupersededError, UnavailableError):
            raise
        except Exception:
            _LOGGER.exception("export %s of %s broke", row.id, job.owner.user_id)
            return await self._fail(job, row, "internal", "something broke on the server; it has been logged")

    async def _start(self, job: Job, row: ExportRow) -> ExportRow:
        if row.restarts >= _MAX_RESTARTS:
            return await self._fail(job, row, "restarted_too_often", "the export was interrupted too often; try again")
        begun = await self._commit(job, lambda db: transitions.begin(db, row, self._renderer.name))
        request = self._request(begun)
        for attempt in range(1, _START_TRIES + 1):
            try:
                return await self._undisturbed(self._launch(job, begun, request))
            except RendererUnavailableError as error:
                _LOGGER.warning("export %s: %s", row.id, error)
            if attempt < _START_TRIES:
                await asyncio.sleep(_START_PAUSE_S * 2**attempt)
        message = "no media worker answered; try again in a few minutes"
        return await self._fail(job, begun, RendererUnavailableError.code, message)

    async def _launch(self, job: Job, row: ExportRow, request: RenderRequest) -> ExportRow:
        """A call that the row no longer takes is known to nobody: the same commit has it ended."""
        call_id = await self._renderer.start(request)

        def note(db: sqlite3.Connection) -> _Noted:
            try:
                return _Noted(row=transitions.note_call(db, row, call_id))
            except SupersededError:
                effects.end_call(db, self._renderer.name, call_id)
                return _Noted(row=None)

        noted = await self._libraries.commit(job.owner, SYSTEM, note, _Noted)
        if noted.row is None:
            raise SupersededError(row.id)
        self._live.announce(job.owner, noted.row)
        return noted.row

    async def _undisturbed(self, work: Coroutine[Any, Any, ExportRow]) -> ExportRow:
        """Being cancelled waits for `work`: a call that is half started would be lost, and paid for."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if task.exception() is not None:
                _LOGGER.info("a call that was being started when its export ended: %r", task.exception())
            raise

    def _request(self, row: ExportRow) -> RenderRequest:
        source = self._storage.presign.get(row.source_key, lifetime_s=_URL_LIFETIME_S)
        output = self._storage.presign.put(row.output_key, lifetime_s=_URL_LIFETIME_S, content_type=OUTPUT_CONTENT_TYPE)
        return RenderRequest(
            progress_key=row.progress_key,
            kind=row.kind,
            spec=row.source.recipe.spec,
            source_urls=(source.url,),
            output_url=output.url,
        )

    async def _wait(self, job: Job, row: ExportRow, call_id: str) -> ExportRow:
        try:
            response = await self._renderer.wait(
                call_id, row.progress_key, lambda progress: self._live.advance(job.owner, row, progress)
            )
        except CallLostError:
            _LOGGER.warning("export %s: call %s is lost, starting again", row.id, call_id)
            return await self._start(job, row)
        if response.error is not None:
            error, reached = response.error, self._live.of(row)
            return await self._commit(job, lambda db: transitions.note_failure(db, row, error, reached))
        if response.result is None:
            raise RuntimeError(f"the renderer gave neither result nor error for {row.id}")
        result = response.result
        return await self._commit(job, lambda db: transitions.note_result(db, row, result))

    async def _finalize(self, job: Job, row: ExportRow) -> ExportRow:
        """The object in the store decides, not what the renderer says about it."""
        self._live.announce(job.owner, row.model_copy(update={"status": "finalizing"}))
        result = row.result
        if result is None:
            raise RuntimeError(f"export {row.id} is {row.status} without a result")
        info = await self._storage.objects.head(row.output_key)
        if info is None:
            return await self._fail(job, row, "output_missing", "the rendered video is not in the store; try again")
        if info.size_bytes != result.size_bytes:
            _LOGGER.error("export %s: the output has %d bytes, not %d", row.id, info.size_bytes, result.size_bytes)
            return await self._fail(job, row, "output_mismatch", "the rendered video is damaged; try again")
        return await self._commit(job, lambda db: transitions.complete(db, row, result))

    async def _fail(self, job: Job, row: ExportRow, code: str, message: str) -> ExportRow:
        reached = self._live.of(row)
        return await self._commit(job, lambda db: transitions.fail(db, row, code, message, reached))

    async def _commit(self, job: Job, handler: Callable[[sqlite3.Connection], ExportRow]) -> ExportRow:
        """Durable first, then told."""
        row = await self._libraries.commit(job.owner, SYSTEM, handler, ExportRow)
        self._live.announce(job.owner, row)
        if row.status in FINAL:
            EXPORTS.add(row.kind, row.status)
        return row

    async def _find(self, job: Job) -> ExportRow | None:
        async with self._libraries.read(job.owner) as db:
            return store.find(db, job.id)
