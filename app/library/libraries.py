"""All libraries of this process. `read` sees the newest version; `commit` answers only after the change is durable."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from pydantic import BaseModel

from app.kit.clock import now
from app.kit.errors import AppError, UnavailableError
from app.kit.owner import Owner
from app.library import outbox
from app.library.cache import Cache
from app.library.context import SyncStatus, current_report, report_sync
from app.library.delivery import CarryOut, Deliveries
from app.library.errors import StaleSessionError
from app.library.head import Head
from app.library.intent import SYSTEM, Intent
from app.library.legacy import LegacyDatabase
from app.library.library import Library
from app.library.log import RecordLog
from app.library.opener import Opener
from app.library.outbox import Effect
from app.library.retention import Retention
from app.library.write import Handler, Reply, Write
from app.storage.keys import Keys
from app.storage.port import ObjectStore, StoreUnavailableError

_CACHE_BYTES = 80 * 1024 * 1024
_COMMIT_DEADLINE_S = 10.0
_OLDEST_STALE_READ_S = 600.0
_PATIENCE_S = 2.0
"""How long a read that may be stale waits for the store."""
_RETIRE_EACH = 64
_LOGGER = logging.getLogger(__name__)


class Libraries:
    """The interface that domains use; how versions are stored and shared is its own affair."""

    def __init__(
        self,
        objects: ObjectStore,
        keys: Keys,
        *,
        cache_bytes: int = _CACHE_BYTES,
        deadline_s: float = _COMMIT_DEADLINE_S,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`deadline_s`: how long a commit whose fate is unknown is tried again before it is answered with 503."""
        self._objects = objects
        self._keys = keys
        self._deadline_s = deadline_s
        self._clock = clock
        self._cache = Cache(self._new_library, cache_bytes)
        self._deliveries = Deliveries(self._effects, self._remove_effect)
        self._retiring: dict[Owner, asyncio.Task[None]] = {}

    def carry_out(self, topic: str, carrier: CarryOut) -> None:
        """Who carries out the effects that handlers post under `topic` (`app.library.outbox`)."""
        self._deliveries.register(topic, carrier)

    @asynccontextmanager
    async def read(self, owner: Owner) -> AsyncIterator[sqlite3.Connection]:
        """A read-only snapshot of the newest version; it does not change while held. Keep queries short: they block.

        A request that permits it gets a recent version, marked as stale, while the store is down.
        """
        library = self._cache.get(owner)
        try:
            with _Reported() as report:
                recent = _recent(library)
                try:
                    async with asyncio.timeout(None if recent is None else _PATIENCE_S):
                        head = await library.fresh()
                    report.status = "synced"
                except (StoreUnavailableError, TimeoutError):
                    if recent is None:
                        raise
                    head, report.age_s = recent
                    report.status = "stale"
                report.version = head.seq
            async with library.connections.reading(head) as connection:
                yield connection
        finally:
            self._cache.settle(owner)

    async def commit(self, owner: Owner, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> Reply:
        """Run `handler` in one transaction and make it durable; its reply, or the one kept under the idempotency key.

        The handler runs in a thread and may run again on a newer version: it has no effect outside the connection.
        Raises StaleSessionError, IdempotencyKeyReusedError, LibraryTooLargeError, whatever the handler raises (nothing
        is then written), and 503 errors when nobody knows whether it was written.
        """
        library = self._cache.get(owner)
        with _Reported() as report:
            try:
                answer, report.version = await library.commit(Write(intent, handler, reply, self._clock()))
                report.status = "synced"
            except UnavailableError:
                raise
            except Exception as error:
                # Refused on the newest version: it is told, so that the caller knows what to read.
                report.status = "stale" if isinstance(error, StaleSessionError) else "synced"
                report.version = library.known.head.seq if library.known else None
                raise
            finally:
                self._cache.settle(owner)
        self._retire_sometimes(owner, report.version)
        return answer

    async def close(self) -> None:
        """Ends the deliveries and waits for the writes that are under way."""
        await self._deliveries.close()
        retiring = list(self._retiring.values())
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        for library in self._cache.all():
            await library.close()

    def _new_library(self, owner: Owner) -> Library:
        log = RecordLog(self._objects, self._keys, owner, self._deadline_s)
        legacy = LegacyDatabase(self._objects, self._keys, owner, self._clock)
        opener, deliveries = Opener(owner, log, legacy), self._deliveries
        return Library(
            owner, log, opener, self._clock, lambda: deliveries.wake(owner), lambda: deliveries.wake_later(owner)
        )

    def _retire_sometimes(self, owner: Owner, version: int) -> None:
        """Whoever commits each so many versions looks which records need not stay."""
        if version % _RETIRE_EACH == 0 and owner not in self._retiring:
            task = self._retiring[owner] = asyncio.create_task(self._retire(owner))
            task.add_done_callback(lambda _: self._retiring.pop(owner))

    async def _retire(self, owner: Owner) -> None:
        known = self._cache.get(owner).known
        if known is None:
            return
        try:
            await Retention(self._objects, self._keys, owner, self._clock).apply(known.head.generation)
        except AppError as error:
            _LOGGER.warning("old records of library %s/%s stay for now: %s", *owner, error)

    async def _effects(self, owner: Owner) -> list[Effect]:
        async with self.read(owner) as db:
            return outbox.due(db)

    async def _remove_effect(self, owner: Owner, effect: Effect) -> None:
        def remove(db: sqlite3.Connection) -> _Removed:
            outbox.remove(db, effect)
            return _Removed()

        await self.commit(owner, SYSTEM, remove, _Removed)


class _Removed(BaseModel):
    """The reply of the commit that takes an effect from the outbox."""


def _recent(library: Library) -> tuple[Head, float] | None:
    """The last version that the store confirmed and its age in seconds, where the current request may have it."""
    request, confirmed = current_report(), library.confirmed
    if request is None or not request.may_be_stale or confirmed is None:
        return None
    age_s = asyncio.get_running_loop().time() - confirmed.validated_at
    if age_s > _OLDEST_STALE_READ_S or confirmed.head.seq < (request.seen_version or 0):
        return None
    return confirmed.head, age_s


class _Reported:
    """Tells the current request how long the block took, and what it found; by default nothing is known."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.status: SyncStatus | None = None
        self.age_s: float | None = None
        self._started = time.perf_counter()

    def __enter__(self) -> "_Reported":
        return self

    def __exit__(self, *_: object) -> None:
        report_sync(time.perf_counter() - self._started, self.version, self.status, self.age_s)
