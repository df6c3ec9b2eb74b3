"""Writes of one session that come while a record is being created share the next, and none notices the others."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from app.kit.errors import NotFoundError
from app.library import head, log, outbox
from app.library.context import begin_report
from app.library.errors import IdempotencyKeyReusedError, LibraryTooLargeError, StaleSessionError
from app.library.intent import SYSTEM, Idempotency, Intent
from app.library.libraries import Libraries
from app.library.record import MAX_HEADER_BYTES, Place, parse_header
from app.storage.port import StoreUnavailableError
from tests.app.library.held import HeldObjects
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import PATIENCE_S

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")
Handler = Callable[[sqlite3.Connection], Note]
Outcome = Note | BaseException


class Crowd:
    """Writes that come together: the record before theirs is held back until all of them wait."""

    def __init__(self, objects: HeldObjects) -> None:
        self.objects = objects
        self.libraries = opened(objects)
        self.tasks: list[asyncio.Task[Note]] = []

    async def gather(self, *writes: tuple[Intent, Handler]) -> None:
        """Record 1 is another write's; the next create is held."""
        self.objects.hold("create")
        first = asyncio.create_task(self.libraries.commit(OWNER, TAB_1, add("first"), Note))
        await self.objects.held("create")
        self.tasks = [self._write(intent, handler) for intent, handler in writes]
        # Each of them is in the queue as soon as its task has run once.
        await asyncio.sleep(0)
        self.objects.calls.clear()
        self.objects.release("create")
        self.objects.hold("create")
        await first

    @property
    def records(self) -> int:
        """Created for the writes."""
        return self.objects.count("create") - 1

    async def outcomes(self) -> list[Outcome]:
        self.objects.release("create")
        return await asyncio.gather(*self.tasks, return_exceptions=True)

    async def none_is_told(self) -> None:
        """While the store has their record and has not answered."""
        await self.objects.held("create", times=2)
        assert [task for task in self.tasks if task.done()] == []

    def _write(self, intent: Intent, handler: Handler) -> asyncio.Task[Note]:
        return asyncio.create_task(self.libraries.commit(OWNER, intent, handler, Note))


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(HeldObjects())


def keyed(key: str, session: str = "tab-1", request: str = "") -> Intent:
    return Intent(session, idempotency=Idempotency(key, request or key))


def counted(handler: Handler, runs: list[str]) -> Handler:
    def counting(db: sqlite3.Connection) -> Note:
        runs.append("run")
        return handler(db)

    return counting


def refusing(name: str) -> Handler:
    """Leaves traces of all kinds before it refuses."""

    def handler(db: sqlite3.Connection) -> Note:
        add(name)(db)
        db.execute("DELETE FROM games WHERE id = 'first'")
        outbox.post(db, "topic", "{}")
        raise NotFoundError(f"there is no {name}")

    return handler


async def rows(objects: MemoryObjects, table: str) -> list[tuple[Any, ...]]:
    async with opened(objects).read(OWNER) as db:
        return [tuple(row) for row in db.execute(f"SELECT * FROM {table}")]


async def test_writes_that_wait_share_a_record(crowd: Crowd) -> None:
    many = [f"{n:02}" for n in range(40)]
    await crowd.gather(*((keyed(name), add(name)) for name in many))
    outcomes = await crowd.outcomes()
    assert crowd.records == 1
    assert [note.id for note in outcomes if isinstance(note, Note)] == many
    assert [note.rows for note in outcomes if isinstance(note, Note)] == list(range(2, 42)), "each saw those before it"
    assert await read(crowd.libraries) == await read(opened(crowd.objects)) == ["first", *many]


async def test_a_group_is_bounded(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.write._MAX_GROUP", 8)
    await crowd.gather(*((TAB_1, add(f"{n:02}")) for n in range(20)))
    await crowd.outcomes()
    assert crowd.records == 3
    assert len(await read(opened(crowd.objects))) == 21


async def test_all_of_a_group_are_told_its_version(crowd: Crowd) -> None:
    versions: list[int | None] = []

    async def write(name: str) -> None:
        report = begin_report()
        await crowd.libraries.commit(OWNER, TAB_1, add(name), Note)
        versions.append(report.version)

    await crowd.gather()
    writing = asyncio.gather(*(write(name) for name in "123"))
    crowd.objects.release("create")
    await writing
    assert versions == [2, 2, 2]


async def test_nobody_is_told_before_the_record_is_durable(crowd: Crowd) -> None:
    reused = keyed("k", request="other")
    await crowd.gather(
        (keyed("k"), add("1")), (TAB_1, refusing("2")), (reused, add("3")), (Intent("tab-2", seen_version=1), add("4"))
    )
    await crowd.none_is_told()
    note, refused, reused_key, stale = await crowd.outcomes()
    assert isinstance(reused_key, IdempotencyKeyReusedError)
    assert note == Note(id="1", rows=2)
    assert isinstance(refused, NotFoundError)
    assert isinstance(stale, StaleSessionError)


async def test_a_handler_that_raises_leaves_nothing_of_itself(crowd: Crowd) -> None:
    once = keyed("k")
    await crowd.gather((TAB_1, add("1")), (once, refusing("2")), (SYSTEM, add("3")))
    outcomes = await crowd.outcomes()
    assert [type(outcome) for outcome in outcomes] == [Note, NotFoundError, Note]
    assert await read(opened(crowd.objects)) == ["first", "1", "3"]
    assert await rows(crowd.objects, "outbox") == []
    assert await rows(crowd.objects, "idempotency") == []
    assert crowd.records == 1
    assert await crowd.libraries.commit(OWNER, once, add("2"), Note) == Note(id="2", rows=4), "its key is free"


async def test_a_group_that_is_all_refused_makes_no_record(crowd: Crowd) -> None:
    await crowd.gather((TAB_1, refusing("1")), (TAB_1, refusing("2")))
    outcomes = await crowd.outcomes()
    assert [type(outcome) for outcome in outcomes] == [NotFoundError, NotFoundError]
    assert crowd.records == 0
    assert crowd.objects.count("get") == 1, "one look tells that the version was the newest"


async def test_a_refusal_alone_waits_for_the_look_that_confirms_it(crowd: Crowd) -> None:
    await crowd.gather()
    crowd.objects.release("create")
    crowd.objects.hold("get")
    refused = asyncio.create_task(crowd.libraries.commit(OWNER, TAB_1, refusing("1"), Note))
    await crowd.objects.held("get")
    assert not refused.done()
    await opened(HeldObjects(beside=crowd.objects)).commit(OWNER, TAB_2, add("1"), Note)
    crowd.objects.release("get")
    with pytest.raises(sqlite3.IntegrityError):
        await refused  # it ran again, on what the other process had made


async def test_the_same_key_twice_in_a_group_runs_once(crowd: Crowd) -> None:
    runs: list[str] = []
    once = counted(add("1"), runs)
    await crowd.gather((keyed("k"), once), (keyed("k"), once), (keyed("k", request="other"), once))
    first, second, reused = await crowd.outcomes()
    assert first == second == Note(id="1", rows=2)
    assert isinstance(reused, IdempotencyKeyReusedError)
    assert runs == ["run"]
    assert await read(opened(crowd.objects)) == ["first", "1"]


async def test_two_sessions_share_no_record_but_the_system_shares_with_any(crowd: Crowd) -> None:
    await crowd.gather(
        *((intent, add(f"{n}")) for n, intent in enumerate((SYSTEM, TAB_1, TAB_2, TAB_1, SYSTEM, TAB_2)))
    )
    assert [type(outcome) for outcome in await crowd.outcomes()] == [Note] * 6
    writers = [
        set(parse_header(body[:MAX_HEADER_BYTES], Place(OWNER, 0, KEYS.log_seq(key))).writers)
        for key, body in sorted(crowd.objects.bodies.items(), reverse=True)
    ]
    assert writers == [{"tab-1"}, {"system", "tab-1"}, {"tab-2"}]


async def test_a_conflict_among_writes_that_wait_names_the_version_and_the_session(crowd: Crowd) -> None:
    await crowd.gather((TAB_2, add("1")), (Intent("tab-1", seen_version=1), add("2")))
    await crowd.none_is_told()
    note, stale = await crowd.outcomes()
    assert isinstance(note, Note)
    assert isinstance(stale, StaleSessionError)
    assert stale.extra["current_version"] == 2
    assert stale.extra["committed_by"] == "tab-2"
    assert await read(opened(crowd.objects)) == ["first", "1"]


async def test_the_same_session_does_not_conflict_with_itself_within_a_group(crowd: Crowd) -> None:
    seen = Intent("tab-1", seen_version=1)
    await crowd.gather((seen, add("1")), (seen, add("2")))
    assert [type(outcome) for outcome in await crowd.outcomes()] == [Note, Note]


@pytest.mark.parametrize("how", ["before", "after"])
async def test_when_nobody_knows_all_of_the_group_get_503_and_their_repeats_are_exact(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(log, "_FIRST_PAUSE_S", 100.0)
    reused: tuple[Intent, Handler] = (keyed("1", request="other"), add("5"))
    writes: list[tuple[Intent, Handler]] = [(keyed("1"), add("1")), (keyed("3"), refusing("3")), (keyed("4"), add("4"))]
    await crowd.gather(*writes, reused)
    crowd.objects.fault = lambda call, key: how if call == "create" else None
    outcomes = await crowd.outcomes()
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * 4, "neither success nor 404 nor 422"
    crowd.objects.fault = lambda call, key: None
    for process in (crowd.libraries, opened(crowd.objects)):
        assert await process.commit(OWNER, *writes[0], Note) == Note(id="1", rows=2)
        assert await process.commit(OWNER, *writes[2], Note) == Note(id="4", rows=3)
        with pytest.raises(NotFoundError):
            await process.commit(OWNER, *writes[1], Note)
        with pytest.raises(IdempotencyKeyReusedError):
            await process.commit(OWNER, *reused, Note)
    assert await read(opened(crowd.objects)) == ["first", "1", "4"]


@pytest.mark.parametrize(("how", "told"), [("before", StoreUnavailableError), ("after", StaleSessionError)])
async def test_a_conflict_with_a_write_of_unknown_fate_is_told_only_if_that_write_is_there(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch, how: str, told: type[Exception]
) -> None:
    monkeypatch.setattr(log, "_FIRST_PAUSE_S", 100.0)
    await crowd.gather((TAB_2, add("1")), (Intent("tab-1", seen_version=1), add("2")))
    crowd.objects.fault = lambda call, key: how if call == "create" else None
    unknown, after = await crowd.outcomes()
    assert isinstance(unknown, StoreUnavailableError)
    assert type(after) is told


async def test_a_group_that_comes_second_runs_again_on_the_others_work(crowd: Crowd) -> None:
    await crowd.gather((TAB_1, add("1")), (TAB_1, add("2")), (TAB_1, add("theirs")))
    await crowd.objects.held("create", times=2)
    await opened(HeldObjects(beside=crowd.objects)).commit(OWNER, TAB_2, add("theirs"), Note)
    one, two, taken = await crowd.outcomes()
    assert (one, two) == (Note(id="1", rows=3), Note(id="2", rows=4))
    assert isinstance(taken, sqlite3.IntegrityError)
    assert await read(opened(crowd.objects)) == ["first", "theirs", "1", "2"]


def with_context_manager(db: sqlite3.Connection) -> None:
    with db:
        db.execute("SELECT 1")


@pytest.mark.parametrize(
    "ending",
    [
        lambda db: db.execute("COMMIT"),
        lambda db: db.commit(),
        lambda db: db.execute("ROLLBACK"),
        lambda db: db.rollback(),
        lambda db: db.executescript("SELECT 1"),
        with_context_manager,
    ],
)
async def test_a_handler_that_ends_its_transaction_fails_alone_and_leaves_nothing(
    crowd: Crowd, ending: Callable[[sqlite3.Connection], object]
) -> None:
    def guilty(db: sqlite3.Connection) -> Note:
        add("guilty")(db)
        ending(db)
        return Note(id="guilty", rows=0)

    await crowd.gather((TAB_1, add("1")), (TAB_1, guilty), (TAB_1, add("3")))
    one, broken, three = await crowd.outcomes()
    assert (one, three) == (Note(id="1", rows=2), Note(id="3", rows=3))
    assert "transaction" in str(broken)
    assert await read(crowd.libraries) == await read(opened(crowd.objects)) == ["first", "1", "3"]
    assert await crowd.libraries.commit(OWNER, TAB_1, add("4"), Note) == Note(id="4", rows=4)


class Aborted(BaseException):
    """As a panic in a native library is."""


async def test_what_is_no_ordinary_error_still_reaches_all_callers(crowd: Crowd) -> None:
    def abort(db: sqlite3.Connection) -> Note:
        raise Aborted

    def runs_dry(db: sqlite3.Connection) -> Note:
        next(iter(()))
        raise AssertionError

    await crowd.gather((TAB_1, add("1")), (TAB_1, runs_dry))
    one, dry = await crowd.outcomes()
    assert (one, type(dry)) == (Note(id="1", rows=2), RuntimeError)
    asked = [asyncio.create_task(crowd.libraries.commit(OWNER, TAB_1, each, Note)) for each in (add("2"), abort)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Aborted, Aborted]
    assert await crowd.libraries.commit(OWNER, TAB_1, add("3"), Note) == Note(id="3", rows=3)


async def test_a_write_that_is_too_large_fails_alone(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    def huge(db: sqlite3.Connection) -> Note:
        db.execute("INSERT INTO games VALUES ('huge', ?, '2026-01-01', 'home', '')", ("x" * 2_000_000,))
        return Note(id="huge", rows=0)

    monkeypatch.setattr(head, "MAX_IMAGE_BYTES", 1_000_000)
    await crowd.gather((TAB_1, add("1")), (TAB_1, huge), (TAB_1, add("3")))
    one, too_large, three = await crowd.outcomes()
    assert (one, three) == (Note(id="1", rows=2), Note(id="3", rows=3))
    assert isinstance(too_large, LibraryTooLargeError)
    assert too_large.code == "library_too_large"
    assert await read(crowd.libraries) == await read(opened(crowd.objects)) == ["first", "1", "3"]


async def test_too_large_is_told_of_the_newest_version_only(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have made room since."""

    def big(name: str) -> Handler:
        def handler(db: sqlite3.Connection) -> Note:
            db.execute("INSERT INTO games VALUES (?, ?, '2026-01-01', 'home', '')", (name, "x" * 500_000))
            return Note(id=name, rows=0)

        return handler

    def without_big(db: sqlite3.Connection) -> Note:
        db.execute("DELETE FROM games WHERE id = 'big'")
        return Note(id="", rows=0)

    await crowd.gather((TAB_1, big("big")))
    await crowd.outcomes()
    monkeypatch.setattr(head, "MAX_IMAGE_BYTES", 1_000_000)
    await opened(HeldObjects(beside=crowd.objects)).commit(OWNER, TAB_1, without_big, Note)
    assert await crowd.libraries.commit(OWNER, TAB_1, big("another"), Note) == Note(id="another", rows=0)


async def test_a_caller_that_leaves_does_not_disturb_its_group(crowd: Crowd) -> None:
    await crowd.gather((TAB_1, add("1")), (TAB_1, add("2")), (TAB_1, add("3")))
    crowd.tasks[1].cancel()
    await crowd.objects.held("create", times=2)
    crowd.tasks[0].cancel()
    left_later, left_early, stayed = await crowd.outcomes()
    assert isinstance(left_early, asyncio.CancelledError)
    assert isinstance(left_later, asyncio.CancelledError)
    assert stayed == Note(id="3", rows=4), "what was under way is brought to its end"
    assert await read(crowd.libraries) == await read(opened(crowd.objects)) == ["first", "1", "2", "3"]


async def test_a_read_does_not_wait_for_a_commit_that_hangs(crowd: Crowd) -> None:
    await crowd.gather((TAB_1, add("1")))
    await crowd.objects.held("create", times=2)
    assert await asyncio.wait_for(read(crowd.libraries), PATIENCE_S) == ["first"]
    await crowd.outcomes()
    assert await read(crowd.libraries) == ["first", "1"]


async def test_a_read_may_find_a_record_whose_writer_still_waits(crowd: Crowd) -> None:
    await crowd.gather()
    crowd.objects.release("create")
    crowd.objects.hold_answers("create")
    writing = asyncio.create_task(crowd.libraries.commit(OWNER, TAB_1, add("1"), Note))
    await crowd.objects.held("create", times=2)
    assert await read(crowd.libraries) == ["first", "1"]
    assert not writing.done()
    crowd.objects.release("create")
    assert await writing == Note(id="1", rows=2)
    assert await crowd.libraries.commit(OWNER, TAB_1, add("2"), Note) == Note(id="2", rows=3)


@pytest.mark.parametrize("when", ["hold", "hold_answers"])
async def test_a_commit_does_not_wait_for_a_look_that_hangs(when: str) -> None:
    objects = HeldObjects()
    libraries: Libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    getattr(objects, when)("get")
    reading = asyncio.create_task(read(libraries))
    await objects.held("get")
    second = libraries.commit(OWNER, TAB_1, add("2"), Note)
    assert await asyncio.wait_for(second, PATIENCE_S) == Note(id="2", rows=2)
    assert not reading.done()
    objects.release("get")
    assert await reading == ["1", "2"], "what came out of the look is not older than what was known"
    assert await read(opened(objects)) == ["1", "2"]


async def test_a_closing_process_brings_its_group_to_its_end(crowd: Crowd) -> None:
    await crowd.gather((TAB_1, add("1")), (TAB_1, add("2")))
    await crowd.objects.held("create", times=2)
    closing = asyncio.create_task(crowd.libraries.close())
    assert [type(outcome) for outcome in await crowd.outcomes()] == [Note, Note]
    await closing
    assert await read(opened(crowd.objects)) == ["first", "1", "2"]
