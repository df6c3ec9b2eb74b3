"""One machine: production libraries that share nothing but the store, a wall clock of its own, requests to answer."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from app.kit.errors import AppError, NotFoundError, UnavailableError
from app.kit.owner import Owner
from app.library import outbox
from app.library.context import begin_report
from app.library.errors import IdempotencyKeyReusedError, StaleSessionError
from app.library.intent import Idempotency, Intent
from app.library.libraries import Libraries
from app.storage.keys import Keys
from tests.library.simulation.effects import TOPIC, Carrier
from tests.library.simulation.history import Answer, Request
from tests.library.simulation.hosts import HOST, Host
from tests.library.simulation.images import filling
from tests.library.simulation.store import EPOCH, Link, Store

# Connections and proxies hold a request that a frozen machine has not begun for no longer than that.
_CONNECTION_S = 3600.0
KEYS = Keys("development")
OWNER = Owner("a", "default")


class Row(BaseModel):
    """What a write answers: the row it made and how many rows there were before it."""

    id: str
    before: int


class Settings(NamedTuple):
    """How the libraries of all machines are opened; seconds."""

    deadline_s: float
    cache_bytes: int


class Machine(Host):
    """One life of a machine. `lag_s` holds its clocks back after it was frozen, if they stop then."""

    def __init__(
        self, name: str, store: Store, carrier: Carrier, settings: Settings, skew: timedelta, runs: Iterator[int]
    ) -> None:
        """`runs` numbers the runs of handlers in the whole simulation: a row tells which run made it."""
        super().__init__()
        self.name = name
        self.store = store
        self._carrier = carrier
        self._skew = skew
        self._runs = runs
        self._context = copy_context()
        self._context.run(HOST.set, self)
        self._open: dict[asyncio.Task[None], Callable[[Answer | None], None]] = {}
        self.libraries = self._context.run(
            Libraries,
            Link(store, name),
            KEYS,
            deadline_s=settings.deadline_s,
            cache_bytes=settings.cache_bytes,
            clock=self.clock,
        )
        self.libraries.carry_out(TOPIC, self._carry_out)

    def clock(self) -> datetime:
        return EPOCH + timedelta(seconds=self.store.loop.world_s - self.lag_s) + self._skew

    def accept(self, request: Request, reply: Callable[[Answer | None], None]) -> asyncio.Task[None]:
        """`reply` gets None when the machine dies or drops the request: nobody knows what came of it."""
        serving = self._serve(request, reply, self.store.loop.world_s)
        task = self.store.loop.create_task(serving, context=self._context.copy())
        self._open[task] = reply
        return task

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]], patience_s: float) -> bool:
        """Do it here; whether it ended within `patience_s`: the machine may die or freeze meanwhile."""
        task = self.store.loop.create_task(work(), context=self._context.copy())
        done, _ = await asyncio.wait([task], timeout=patience_s)
        for ended in done:
            ended.result()
        return bool(done)

    def hang_up(self, task: asyncio.Task[None]) -> None:
        """The client is gone: the request is cancelled, when the machine gets to it."""
        self.store.loop.call_soon(task.cancel, context=self._context)

    def die(self) -> None:
        self.alive = False
        for reply in self._open.values():
            reply(None)

    async def _carry_out(self, _: Owner, row: str) -> None:
        await self._carrier.carry_out(self.name, row)

    async def _serve(self, request: Request, reply: Callable[[Answer | None], None], came_s: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        answer = None
        try:
            if self.store.loop.world_s - came_s < _CONNECTION_S:
                answer = await answer_to(self.libraries, request, self._runs)
        finally:
            # Not reached by what is dropped with a dead machine.
            del self._open[task]
            reply(answer)


async def answer_to(libraries: Libraries, request: Request, runs: Iterator[int]) -> Answer:
    """As the HTTP layer would answer: any error but those that the API knows is a broken answer."""
    is_read = request.kind == "read"
    report = begin_report(may_be_stale=is_read and request.may_be_stale, seen_version=request.seen)
    try:
        answer = await (_read(libraries, request) if is_read else _write(libraries, request, runs))
    except StaleSessionError as conflict:
        version, by = conflict.extra["current_version"], conflict.extra.get("committed_by")
        assert isinstance(version, int)
        return Answer("conflict", version, by=str(by) if by else None)
    except UnavailableError as error:
        return Answer("unavailable", detail=error.code)
    except (NotFoundError, IdempotencyKeyReusedError) as error:
        return Answer("refused", report.version, detail=error.code)
    except AppError as error:
        return Answer("broken", detail=repr(error))
    except Exception as error:
        return Answer("broken", detail=repr(error))
    if report.status == "stale":
        answer = answer._replace(status="stale")
    return answer._replace(version=report.version)


async def _read(libraries: Libraries, request: Request) -> Answer:
    async with libraries.read(OWNER) as db:
        rows = row_ids(db)
        if request.holds_s:
            await asyncio.sleep(request.holds_s)
            if row_ids(db) != rows:
                return Answer("broken", detail="a snapshot changed while it was held")
    return Answer("ok", rows=rows)


async def _write(libraries: Libraries, request: Request, runs: Iterator[int]) -> Answer:
    def handler(db: sqlite3.Connection) -> Row:
        before = row_ids(db)
        row = Row(id=f"{request.write}.{next(runs)}", before=len(before))
        if request.needs and request.needs not in {name_of(each) for each in before}:
            raise NotFoundError(f"{request.needs} is not there")
        text = filling(request.write, request.size)
        db.execute("INSERT INTO games VALUES (?, ?, '2026-01-01', 'home', '')", (row.id, text))
        if request.posts:
            outbox.post(db, TOPIC, row.id)
        if request.refuses:
            raise NotFoundError("refused after half of the work")
        return row

    idempotency = Idempotency(request.key, request.write) if request.key else None
    made = await libraries.commit(OWNER, Intent(request.session, request.seen, idempotency), handler, Row)
    return Answer("ok", row=made.id, before=made.before)


def row_ids(db: sqlite3.Connection) -> tuple[str, ...]:
    """In the order in which they were written."""
    return tuple([row[0] for row in db.execute("SELECT id FROM games ORDER BY rowid")])


def name_of(row_id: str) -> str:
    """The write that made a row."""
    return row_id.partition(".")[0]
