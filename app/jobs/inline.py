"""JobQueue in the web process: asyncio tasks, bounded by kind, with leases so that several processes share the work."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from app.jobs.job import Job, JobKind, Outcome
from app.jobs.pending import Lease, PendingJobs
from app.kit.errors import AppError
from app.kit.metrics import JOBS_RUNNING

_LOGGER = logging.getLogger(__name__)
_RENEW_S = 10.0
_SWEEP_S = 30.0
_ORPHAN_AGE_S = 600.0


@dataclass
class _Held:
    task: asyncio.Task[None]
    lease: Lease


class InlineQueue:
    """`open` finds what an earlier process left, `close` hands it on. Kinds are registered before `open`."""

    def __init__(
        self,
        pending: PendingJobs,
        *,
        renew_s: float = _RENEW_S,
        sweep_s: float = _SWEEP_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pending = pending
        self._renew_s = renew_s
        self._sweep_s = sweep_s
        self._clock = clock
        self._kinds: dict[str, JobKind] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._announced: dict[Job, Lease] = {}
        self._held: dict[Job, _Held] = {}
        self._tenders: list[asyncio.Task[None]] = []
        self._closing = False

    def register(self, kinds: Mapping[str, JobKind]) -> None:
        self._kinds.update(kinds)
        self._slots.update({name: asyncio.Semaphore(kind.slots) for name, kind in kinds.items()})

    async def open(self, *, discard_pending: bool) -> None:
        """Begin to look for pending jobs; with `discard_pending` first end them all as failed."""
        if discard_pending:
            await self._discard_all()
        self._tenders = [
            asyncio.create_task(self._forever(self._sweep, self._sweep_s)),
            asyncio.create_task(self._forever(self._renew_all, self._renew_s)),
        ]

    async def close(self) -> None:
        """Stop working; rows stay as they are and the next process continues."""
        self._closing = True
        tasks = [*self._tenders, *(held.task for held in self._held.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def announce(self, job: Job) -> None:
        if job in self._held:
            return
        lease = await self._pending.announce(job)
        if lease is not None:
            self._announced[job] = lease

    async def withdraw(self, job: Job) -> None:
        self._announced.pop(job, None)
        await self._pending.finish(job)

    def leave(self, job: Job) -> None:
        self._announced.pop(job, None)

    def start(self, job: Job) -> None:
        lease = self._announced.pop(job, None)
        if lease is not None:
            self._hold(lease)

    async def stop(self, job: Job) -> None:
        held = self._held.get(job)
        if held is not None:
            held.task.cancel()
            await asyncio.wait([held.task])
        await self._pending.finish(job)

    def holds(self, job: Job) -> bool:
        return job in self._held

    def _hold(self, lease: Lease) -> None:
        job = lease.job
        if job in self._held or self._closing:
            return
        task = asyncio.create_task(self._work(job))
        self._held[job] = _Held(task, lease)
        JOBS_RUNNING.add(job.kind)

        def forget(_: asyncio.Task[None]) -> None:
            del self._held[job]
            JOBS_RUNNING.add(job.kind, amount=-1)

        task.add_done_callback(forget)

    async def _work(self, job: Job) -> None:
        """A job that breaks keeps its marker and comes up again at a later sweep."""
        try:
            async with self._slots[job.kind]:
                outcome = await self._kinds[job.kind].run(job)
            lease = self._held[job].lease
            orphan = outcome is Outcome.NOT_FOUND and self._clock() - lease.created_at > _ORPHAN_AGE_S
            if outcome is Outcome.DONE or orphan:
                await self._pending.finish(job)
            elif outcome is Outcome.NOT_FOUND:
                await self._pending.release(lease)
        except asyncio.CancelledError:
            if self._closing:
                await self._release_quietly(job)
            raise
        except AppError as error:
            _LOGGER.warning("%s job %s waits for a later try: %s", job.kind, job.id, error)
            await self._release_quietly(job)
        except Exception:
            _LOGGER.exception("%s job %s of %s broke; it is tried again", job.kind, job.id, job.owner.user_id)
            await self._release_quietly(job)

    async def _release_quietly(self, job: Job) -> None:
        try:
            await self._pending.release(self._held[job].lease)
        except AppError as error:
            _LOGGER.warning("%s job %s keeps its lease until it runs out: %s", job.kind, job.id, error)

    async def _sweep(self) -> None:
        for job in await self._pending.list():
            if job.kind not in self._kinds:
                _LOGGER.error("pending job %s is of unknown kind %r; it is left alone", job.id, job.kind)
            elif job not in self._held and job not in self._announced:
                lease = await self._pending.claim(job)
                if lease is not None:
                    self._hold(lease)

    async def _renew_all(self) -> None:
        for job, held in list(self._held.items()):
            renewed = await self._pending.renew(held.lease)
            if renewed is not None:
                held.lease = renewed
            elif job in self._held:
                held.task.cancel()

    async def _discard_all(self) -> None:
        for job in await self._pending.list():
            kind = self._kinds.get(job.kind)
            if kind is not None:
                await kind.discard(job)
            await self._pending.finish(job)

    async def _forever(self, step: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while True:
            try:
                await step()
            except Exception as error:
                _LOGGER.warning("looking after pending jobs failed, trying again in %.0f s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
