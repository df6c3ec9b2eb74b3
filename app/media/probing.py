"""The background job that finds out what an uploaded file is."""

import logging
import sqlite3
from datetime import timedelta

from app.jobs.job import Job, Outcome
from app.jobs.renderer import Renderer, RendererUnavailableError
from app.kit.clock import now, parse_rfc3339
from app.library.intent import SYSTEM
from app.library.libraries import Libraries
from app.media import store
from app.media.errors import MediaNotFoundError
from app.media.service import find
from app.media.store import MediaRow
from app.storage.port import Presigner
from gpu.contract import MediaError, ProbeRequest, ProbeResponse

_SOURCE_URL_LIFETIME_S = 3600
_PATIENCE = timedelta(hours=24)
_LOGGER = logging.getLogger(__name__)


class ProbeJobs:
    """JobKind (`app.jobs.job`): `probing` media becomes `ready` or `failed`."""

    slots = 4

    def __init__(self, libraries: Libraries, presign: Presigner, renderer: Renderer) -> None:
        self._libraries = libraries
        self._presign = presign
        self._renderer = renderer

    async def run(self, job: Job) -> Outcome:
        async with self._libraries.read(job.owner) as db:
            row = store.find(db, job.id)
        if row is None or row.status == "uploading":
            return Outcome.NOT_FOUND
        if row.status == "probing":
            try:
                await self._note(job, await self._probe(row))
            except MediaNotFoundError:
                _LOGGER.info("media %s was deleted while it was probed", job.id)
        return Outcome.DONE

    async def discard(self, job: Job) -> None:
        await self._fail(job, "the server was restarted and cleared its jobs; upload the file again")

    async def _probe(self, row: MediaRow) -> ProbeResponse:
        """While no renderer answers, the queue comes back to the job, for a day: an upload is too dear to drop."""
        source = self._presign.get(row.object_key, lifetime_s=_SOURCE_URL_LIFETIME_S)
        try:
            return await self._renderer.probe(ProbeRequest(source_url=source.url))
        except RendererUnavailableError:
            if now() - parse_rfc3339(row.created_at) < _PATIENCE:
                raise
            _LOGGER.exception("media %s was not probed for a day", row.id)
            return ProbeResponse(error=MediaError(code="internal", message="no media worker answered for a day"))

    async def _note(self, job: Job, response: ProbeResponse) -> None:
        if response.error is not None:
            await self._fail(job, response.error.message)
        elif response.info is not None:
            info = response.info

            def set_ready(db: sqlite3.Connection) -> MediaRow:
                store.set_ready(db, job.id, info)
                return find(db, job.id)

            await self._libraries.commit(job.owner, SYSTEM, set_ready, MediaRow)

    async def _fail(self, job: Job, error: str) -> None:
        def set_failed(db: sqlite3.Connection) -> MediaRow:
            store.set_failed(db, job.id, error)
            return find(db, job.id)

        await self._libraries.commit(job.owner, SYSTEM, set_failed, MediaRow)
