"""One owner's library in this process: a disposable cached head in front of the record log."""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from app.kit.clock import now, rfc3339
from app.kit.metrics import LIBRARY_COMMITS
from app.kit.owner import Owner
from app.library.bookkeeping import note_commit, refuse_stale_session, stored_reply
from app.library.errors import BusyLibraryError
from app.library.image import open_copy, open_reader
from app.library.intent import Intent
from app.library.log import RecordLog
from app.library.record import Draft, decode, encode
from app.library.schema import SCHEMA_VERSION

Reply = TypeVar("Reply", bound=BaseModel)
Handler = Callable[[sqlite3.Connection], Reply]
_MAX_RERUNS = 30
_NOTICE_BYTES = (512 * 1024, 1024 * 1024)
_LOGGER = logging.getLogger(__name__)


class Head(NamedTuple):
    """The newest version known: its image, and a read-only copy that outlives the head while a reader holds it."""

    version: int
    record_sha256: str
    image: bytes
    connection: sqlite3.Connection


class _Applied(NamedTuple, Generic[Reply]):
    """A handler's work on a clone: the record to append, or None when an earlier answer was found."""

    reply: Reply
    record: bytes | None
    image: bytes


class Library:
    def __init__(self, owner: Owner, log: RecordLog) -> None:
        self._owner = owner
        self._log = log
        self._lock = asyncio.Lock()
        self._head: Head | None = None
        self._next_refresh: asyncio.Task[Head] | None = None

    async def fresh(self) -> Head:
        """The head as of now. Callers share one look at the store if it had not been sent when they came."""
        if self._next_refresh is None:
            self._next_refresh = asyncio.create_task(self._refresh_when_free())
        return await asyncio.shield(self._next_refresh)

    async def commit(self, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> tuple[Reply, int]:
        """The handler's reply and the version that holds it; returns only once the record is durable."""
        async with self._lock:
            for _ in range(_MAX_RERUNS):
                head = self._head or await self._load()
                try:
                    applied = await asyncio.to_thread(self._apply, head, intent, handler, reply)
                except Exception:
                    # The handler may have refused because the cached head is old: no PUT has checked it.
                    if await self._catch_up(head) is head:
                        raise
                    continue
                if applied.record is None:
                    return applied.reply, head.version
                taken = await self._append(head.version + 1, applied.record)
                if taken is None:
                    await self._advance(head.version + 1, applied.record, applied.image)
                    LIBRARY_COMMITS.add("committed")
                    self._warn_of_size(len(head.image), len(applied.image))
                    return applied.reply, head.version + 1
                LIBRARY_COMMITS.add("rerun")
                await self._adopt(head.version + 1, taken)
        raise BusyLibraryError(f"other writers were faster {_MAX_RERUNS} times; try again in a moment")

    async def _refresh_when_free(self) -> Head:
        async with self._lock:
            self._next_refresh = None
            if self._head is None:
                return await self._load()
            return await self._catch_up(self._head)

    async def _catch_up(self, head: Head) -> Head:
        """The same head when nothing newer is in the store."""
        while (newer := await self._log.get(head.version + 1)) is not None:
            head = await self._adopt(head.version + 1, newer)
        return head

    async def _load(self) -> Head:
        newest = await self._log.newest()
        if newest is None:
            return await self._advance(0, b"", b"")
        return await self._adopt(*newest)

    async def _append(self, version: int, record: bytes) -> bytes | None:
        try:
            return await self._log.append(version, record)
        except BaseException:
            self._head = None
            LIBRARY_COMMITS.add("unknown")
            raise

    async def _adopt(self, version: int, body: bytes) -> Head:
        record = await asyncio.to_thread(decode, body, self._owner, version)
        return await self._advance(version, body, record.image)

    async def _advance(self, version: int, body: bytes, image: bytes) -> Head:
        connection = await asyncio.to_thread(open_reader, image)
        sha256 = hashlib.sha256(body).hexdigest() if body else ""
        self._head = Head(version, sha256, image, connection)
        return self._head

    def _warn_of_size(self, before: int, after: int) -> None:
        for limit in _NOTICE_BYTES:
            if before < limit <= after:
                _LOGGER.warning("library %s/%s has grown to %d bytes (notice at %d)", *self._owner, after, limit)

    def _apply(self, head: Head, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> _Applied[Reply]:
        """Runs in a thread. Rolling back is dropping the clone."""
        clone = open_copy(head.image)
        try:
            earlier = stored_reply(clone, intent.idempotency)
            if earlier is not None:
                return _Applied(reply.model_validate_json(earlier), None, head.image)
            refuse_stale_session(clone, intent, head.version)
            committed_at = now()
            clone.execute("BEGIN")
            answer = handler(clone)
            note_commit(clone, head.version + 1, intent, answer.model_dump_json(), committed_at)
            clone.execute("COMMIT")
            image = clone.serialize()
        finally:
            clone.close()
        draft = Draft(
            owner=self._owner,
            seq=head.version + 1,
            prev_sha256=head.record_sha256,
            writer=intent.session,
            schema_version=SCHEMA_VERSION,
            committed_at=rfc3339(committed_at),
        )
        return _Applied(answer, encode(draft, image), image)
