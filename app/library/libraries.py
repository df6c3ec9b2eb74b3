"""All libraries of this process. `read` sees the newest version; `commit` answers only after the change is durable."""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.kit.errors import UnavailableError
from app.kit.owner import Owner
from app.library.context import SyncStatus, report_sync
from app.library.errors import StaleSessionError
from app.library.intent import Intent
from app.library.library import Handler, Library, Reply
from app.library.log import RecordLog
from app.storage.keys import Keys
from app.storage.port import ObjectStore

_CACHED_LIBRARIES = 64
_COMMIT_DEADLINE_S = 10.0


class Libraries:
    """The interface that domains use; how versions are stored and shared is its own affair."""

    def __init__(
        self,
        objects: ObjectStore,
        keys: Keys,
        *,
        cached: int = _CACHED_LIBRARIES,
        deadline_s: float = _COMMIT_DEADLINE_S,
    ) -> None:
        """`deadline_s`: how long a commit whose fate is unknown is tried again before it is answered with 503."""
        self._objects = objects
        self._keys = keys
        self._cached = cached
        self._deadline_s = deadline_s
        self._libraries: OrderedDict[Owner, Library] = OrderedDict()

    @asynccontextmanager
    async def read(self, owner: Owner) -> AsyncIterator[sqlite3.Connection]:
        """A read-only snapshot of the newest version; it does not change while held. Keep queries short: they block."""
        with _reported() as seen:
            head = await self._library(owner).fresh()
            seen(head.version)
        yield head.connection

    async def commit(self, owner: Owner, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> Reply:
        """Run `handler` in one transaction and make it durable; its reply, or the one kept under the idempotency key.

        The handler runs in a thread and may run again on a newer version: it has no effect outside the connection.
        Raises StaleSessionError, IdempotencyKeyReusedError, whatever the handler raises (nothing is then written), and
        503 errors when nobody knows whether it was written.
        """
        with _reported() as seen:
            answer, version = await self._library(owner).commit(intent, handler, reply)
            seen(version)
        return answer

    def _library(self, owner: Owner) -> Library:
        """The cache is disposable: forgetting a library that is in use costs a reload, never correctness."""
        library = self._libraries.get(owner)
        if library is None:
            library = self._libraries[owner] = Library(
                owner, RecordLog(self._objects, self._keys, owner, self._deadline_s)
            )
        self._libraries.move_to_end(owner)
        while len(self._libraries) > self._cached:
            self._libraries.popitem(last=False)
        return library


@contextmanager
def _reported() -> Iterator[Callable[[int], None]]:
    """Tells the current request how long the block took, how it ended, and the version that the block found."""
    started = time.perf_counter()
    versions: list[int] = []
    status: SyncStatus = "synced"
    try:
        yield versions.append
    except StaleSessionError:
        status = "stale"
        raise
    except UnavailableError:
        status = "unavailable"
        raise
    finally:
        report_sync(time.perf_counter() - started, versions[-1] if versions else None, status)
