"""One owner's library in this process: a disposable cached head in front of the record log.

Two lanes that do not wait for each other: a look (is there a newer record?) and a commit (create the next one).
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.kit.clock import rfc3339
from app.kit.metrics import LIBRARY_COMMITS
from app.kit.owner import Owner
from app.library import outbox
from app.library.connections import Connections
from app.library.errors import BusyLibraryError, LibraryTooLargeError, NewerSchemaError, UnreadableLibraryError
from app.library.head import Commit, Head, next_head
from app.library.image import open_copy
from app.library.log import RecordLog
from app.library.opener import HistoryMovedOnError, Opener
from app.library.record import parse
from app.library.write import AnyWrite, BrokenHandlerError, Reply, Write, group_of, run_all

_MAX_RERUNS = 30
_MAX_STEPS = 4
_NOTICE_BYTES = (512 * 1024, 1024 * 1024)
_CONNECTION_BYTES = 64 * 1024
_LOGGER = logging.getLogger(__name__)


class Known(NamedTuple):
    """A version, and the loop's time when the request that found it newest was sent."""

    head: Head
    validated_at: float


class _Tried(NamedTuple):
    """What a group of writes comes to on a head: the version it would make and its record, or None for no change."""

    head: Head
    record: bytes | None
    writer: sqlite3.Connection
    has_effects: bool


class Library:
    def __init__(
        self,
        owner: Owner,
        log: RecordLog,
        opener: Opener,
        clock: Callable[[], datetime],
        on_effects: Callable[[], None],
        on_others_effects: Callable[[], None],
    ) -> None:
        """What is called when the outbox holds something that no other process, or another one, will see to."""
        self.known: Known | None = None
        self.confirmed: Known | None = None
        self.connections = Connections()
        self._owner = owner
        self._log = log
        self._opener = opener
        self._clock = clock
        self._on_effects = on_effects
        self._on_others_effects = on_others_effects
        self._looking = asyncio.Lock()
        self._next_look: asyncio.Task[Head] | None = None
        self._waiting: list[AnyWrite] = []
        self._committing: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return (
            self._next_look is not None
            or self._committing is not None
            or self._looking.locked()
            or self.connections.is_opening
        )

    @property
    def held_bytes(self) -> int:
        held = self.known or self.confirmed
        head = held.head.size_bytes if held else 0
        image = len(held.head.image) if held else 0
        return head + self.connections.open_count * (image + _CONNECTION_BYTES)

    async def fresh(self) -> Head:
        """The head as of now. Callers share one look at the store if it had not been sent when they came."""
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
            self._next_look.add_done_callback(_retrieve)
        return await asyncio.shield(self._next_look)

    async def commit(self, write: Write[Reply]) -> tuple[Reply, int]:
        """The write's reply and the version that holds it; what comes while a record is made shares the next."""
        self._waiting.append(write)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return await write.answer

    async def close(self) -> None:
        """Waits for the writes that are under way."""
        if self._committing is not None:
            await asyncio.wait([self._committing])

    async def _look(self) -> Head:
        async with self._looking:
            self._next_look = None
            return await (self._newer_than(self.known.head) if self.known else self._open())

    async def _open(self) -> Head:
        sent_at = _time()
        head = self._advance(await self._opener.newest(), sent_at)
        if await self._has_effects(head):
            self._on_effects()
        return head

    async def _has_effects(self, head: Head) -> bool:
        async with self.connections.reading(head) as db:
            return not outbox.is_empty(db)

    async def _newer_than(self, head: Head) -> Head:
        """The newest version, `head` itself when there is none behind it. Far behind, opening anew is faster."""
        for _ in range(_MAX_STEPS):
            sent_at = _time()
            body = await self._log.get(head.next_place)
            if body is None:
                return self._advance(head, sent_at)
            try:
                head = await self._adopt(head, body)
            except HistoryMovedOnError:
                break
        return await self._open()

    async def _adopt(self, head: Head, body: bytes) -> Head:
        try:
            after = await self._opener.after(head, body)
            # That it is there does not say that it is the newest: it was when `head` had been that.
            adopted = self._advance(after, self.known.validated_at if self.known else float("-inf"))
            if await self._has_effects(adopted):
                self._on_others_effects()
            return adopted
        except (HistoryMovedOnError, NewerSchemaError, UnreadableLibraryError):
            self.forget()
            self.confirmed = None
            raise

    def _advance(self, head: Head, validated_at: float) -> Head:
        """The newest version known: never back, and never younger than the request that found it."""
        known = self.known
        if known is None or known.head.position < head.position:
            self.known = Known(head, validated_at)
        elif known.head.position == head.position:
            self.known = Known(known.head, max(validated_at, known.validated_at))
        self.confirmed = self.known
        return self.known.head if self.known else head

    def forget(self) -> None:
        """The next look begins at the store; `confirmed` stays, for reads that may be stale."""
        self.known = None
        self.connections.drop()

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                group = group_of(self._waiting)
                self._waiting = [write for write in self._waiting if write not in group]
                await self._commit_or_fail(group)
        finally:
            self._committing = None

    async def _commit_or_fail(self, group: Sequence[AnyWrite]) -> None:
        try:
            await self._commit(group)
        except (LibraryTooLargeError, BrokenHandlerError) as error:
            if len(group) == 1:
                group[0].fail(error)
            else:
                for write in group:
                    await self._commit_or_fail([write])
        except asyncio.CancelledError:
            for write in (*group, *self._waiting):
                write.answer.cancel()
            raise
        except BaseException as error:
            # A panic in a native library is no Exception; its callers wait all the same.
            for write in group:
                write.fail(error)

    async def _commit(self, group: Sequence[AnyWrite]) -> None:
        """Raises what keeps the whole group from being decided."""
        for attempt in range(_MAX_RERUNS):
            head = await self._head_for(group, attempt)
            try:
                tried = await asyncio.to_thread(self._try, head, group, self.connections.take_writer(head))
            except LibraryTooLargeError:
                if await self._is_newest(head):
                    raise
                continue
            if tried.record is None:
                self.connections.give_writer(head, tried.writer)
                # A refusal, or an earlier answer, may come from a head that is old: only a look or a create tells.
                if await self._is_newest(head):
                    _tell(group)
                    return
            elif await self._append(head, tried):
                _tell(group)
                self._warn_of_size(len(head.image), len(tried.head.image))
                if tried.has_effects:
                    self._on_effects()
                return
        raise BusyLibraryError(f"other writers were faster {_MAX_RERUNS} times; try again in a moment")

    async def _head_for(self, group: Sequence[AnyWrite], attempt: int) -> Head:
        """What to try on: the cached head, unless a caller has seen a newer version or others were first too often."""
        if self.known is None:
            return await self.fresh()
        head = self.known.head
        if attempt >= _MAX_STEPS:
            return await self._open()
        if any((write.intent.seen_version or 0) > head.seq for write in group):
            return await self._newer_than(head)
        return head

    async def _is_newest(self, head: Head) -> bool:
        return (await self._newer_than(head)).position == head.position

    async def _append(self, head: Head, tried: _Tried) -> bool:
        """Whether the record is the next one for good; if not, another writer's is, and now known."""
        record = tried.record or b""
        sent_at = _time()
        try:
            taken = await self._log.append(head.next_place, record)
            if taken is None:
                self._advance(tried.head, sent_at)
                self.connections.give_writer(tried.head, tried.writer)
                LIBRARY_COMMITS.add("committed")
                return True
            if self._is_ours(head, record, taken):
                # A tombstone by now, or it would be the same bytes: there is much behind it.
                tried.writer.close()
                self.forget()
                LIBRARY_COMMITS.add("committed")
                return True
        except BaseException:
            tried.writer.close()
            self.forget()
            LIBRARY_COMMITS.add("unknown")
            raise
        tried.writer.close()
        LIBRARY_COMMITS.add("rerun")
        try:
            await self._adopt(head, taken)
        except HistoryMovedOnError:
            await self._open()
        return False

    def _is_ours(self, head: Head, record: bytes, taken: bytes) -> bool:
        """The nonce outlives the content: a tombstone may be what is left of our own record."""
        place = head.next_place
        return parse(taken, place).header.nonce == parse(record, place).header.nonce

    def _try(self, head: Head, group: Sequence[AnyWrite], kept: sqlite3.Connection | None) -> _Tried:
        """Runs in a thread; `kept` is a connection with the head's content."""
        writer = kept or open_copy(head.image)
        try:
            return self._tried(head, group, writer)
        except BaseException:
            writer.close()
            raise

    def _tried(self, head: Head, group: Sequence[AnyWrite], writer: sqlite3.Connection) -> _Tried:
        at = self._clock()
        changed = run_all(writer, head.seq + 1, group, at)
        if not changed:
            return _Tried(head, None, writer, has_effects=False)
        sessions = dict.fromkeys(write.intent.session for write in changed)
        after, record = next_head(head, writer.serialize(), Commit(tuple(sessions), rfc3339(at)))
        return _Tried(after, record, writer, has_effects=not outbox.is_empty(writer))

    def _warn_of_size(self, before: int, after: int) -> None:
        for limit in _NOTICE_BYTES:
            if before < limit <= after:
                _LOGGER.warning("library %s/%s has grown to %d bytes (notice at %d)", *self._owner, after, limit)


def _tell(group: Sequence[AnyWrite]) -> None:
    for write in group:
        write.tell()


def _retrieve(look: asyncio.Task[Head]) -> None:
    """All who waited for it may be gone: its error is then nobody's."""
    if not look.cancelled():
        look.exception()


def _time() -> float:
    return asyncio.get_running_loop().time()
