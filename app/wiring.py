"""Builds the services of one process and looks after them while it serves."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from app.clips.service import ClipsService
from app.exports import service as exports_service
from app.exports.effects import END_CALL, CallEnds
from app.exports.live import LiveExports
from app.exports.purging import RenderPurge
from app.exports.runner import ExportRunner
from app.exports.service import EXPORT_JOB, ExportsService
from app.games.service import GamesService
from app.http.container import Container
from app.http.readiness import Readiness
from app.jobs.inline import InlineQueue
from app.jobs.local_renderer import LocalRenderer
from app.jobs.modal_renderer import ModalRenderer
from app.jobs.pending import PendingJobs
from app.jobs.renderer import Renderer
from app.library.libraries import Libraries
from app.media import service as media_service
from app.media.probing import ProbeJobs
from app.media.purging import MediaPurge
from app.media.service import PROBE_JOB, MediaService
from app.projects.service import ProjectsService
from app.reels import service as reels_service
from app.reels.service import ReelsService
from app.settings import Settings
from app.storage.keys import Keys
from app.storage.port import Storage
from app.storage.r2 import open_r2
from app.storage.startup_probe import probe_conditional_writes
from app.version import version

_QUIET_S = 3.0
_LOGGER = logging.getLogger(__name__)


class Outside(NamedTuple):
    """What the process talks to; tests put their own here."""

    storage: Storage
    renderer: Renderer


def outside(settings: Settings) -> Outside:
    """The real thing, as configured; connects to nothing yet."""
    storage = open_r2(settings.r2)
    if settings.modal:
        return Outside(storage, ModalRenderer(settings.modal.environment))
    return Outside(storage, LocalRenderer(media_hosts=urlsplit(settings.r2.endpoint).netloc))


class Backend:
    """All services of one process, in the order in which they need each other."""

    def __init__(self, settings: Settings, around: Outside) -> None:
        storage, renderer = around
        self._settings = settings
        self._around = around
        self._keys = keys = Keys(settings.app_env)
        self._queue = queue = InlineQueue(PendingJobs(storage.objects, keys, secrets.token_hex(8)))
        self._libraries = libraries = Libraries(storage.objects, keys)
        libraries.carry_out(END_CALL, CallEnds(renderer).carry_out)
        live = LiveExports()
        queue.register(
            {
                PROBE_JOB: ProbeJobs(libraries, storage.presign, renderer),
                EXPORT_JOB: ExportRunner(libraries, storage, renderer, live),
                media_service.PURGE_JOB: MediaPurge(libraries, storage.objects, keys),
                reels_service.PURGE_JOB: RenderPurge(libraries, storage.objects, keys),
            }
        )
        self.container = container = Container()
        container.add(Settings, settings)
        container.add(Readiness, Readiness({"storage": self._check_storage, "renderer": renderer.check}))
        container.add(MediaService, MediaService(libraries, storage, keys, queue, exports_service.reader_of))
        container.add(GamesService, GamesService(libraries))
        container.add(ClipsService, ClipsService(libraries))
        container.add(ProjectsService, ProjectsService(libraries))
        container.add(ExportsService, ExportsService(libraries, keys, queue, renderer, live))
        container.add(ReelsService, ReelsService(libraries, storage.presign, queue))

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """Refuses to serve on a store without conditional writes; picks up the jobs that were left."""
        settings = self._settings
        _LOGGER.info("version %s, environment %s, renderer %s", version(), settings.app_env, self._around.renderer.name)
        await probe_conditional_writes(self._around.storage.objects, self._keys)
        await self._queue.open(discard_pending=settings.clear_pending_jobs_on_startup)
        warming = asyncio.create_task(self._warm_up())
        try:
            yield
        finally:
            warming.cancel()
            await self._queue.close()
            await self._libraries.close()
            await self._around.renderer.close()

    async def _warm_up(self) -> None:
        """Later than the first requests after a cold start, earlier than the first upload."""
        await asyncio.sleep(_QUIET_S)
        await self._around.storage.uploads.warm_up()

    async def _check_storage(self) -> None:
        await self._around.storage.objects.head(self._keys.startup_probe("readiness"))
