import asyncio
import logging
import sqlite3

import pytest

from app.kit.errors import NotFoundError
from app.kit.owner import Owner
from app.library import head as head_module
from app.library import image as image_module
from app.library import library as library_module
from app.library.errors import (
    IdempotencyKeyReusedError,
    LibraryTooLargeError,
    StaleSessionError,
    UnreadableLibraryError,
)
from app.library.intent import SYSTEM, Idempotency, Intent
from app.library.libraries import Libraries
from app.storage.port import StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER, Note, add, names, opened, read
from tests.app.memory_storage import MemoryObjects

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


async def test_a_library_that_was_never_written_is_empty(objects: MemoryObjects) -> None:
    assert await read(opened(objects)) == []
    assert objects.bodies == {}


async def test_a_commit_is_one_create_and_is_there_for_everyone(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    objects.calls.clear()
    note = await libraries.commit(OWNER, TAB_1, add("2"), Note)
    assert note == Note(id="2", rows=2)
    assert objects.calls == [("create", KEYS.log_record(OWNER, 0, 2))]
    assert await read(libraries) == await read(opened(objects)) == ["1", "2"]


async def test_a_read_sees_what_another_process_committed(objects: MemoryObjects) -> None:
    here, there = opened(objects), opened(objects)
    assert await read(here) == []
    for name in "123":
        await there.commit(OWNER, TAB_1, add(name), Note)
    assert await read(here) == ["1", "2", "3"]


async def test_a_warm_read_is_one_get(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    objects.calls.clear()
    await read(libraries)
    assert objects.calls == [("get", KEYS.log_record(OWNER, 0, 2))]


async def test_reads_that_come_together_share_a_look_and_later_ones_do_not(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    objects.calls.clear()
    await asyncio.gather(*(read(libraries) for _ in range(20)))
    assert objects.count("get") == 1
    await read(libraries)
    assert objects.count("get") == 2


async def test_a_reader_that_comes_while_a_look_is_under_way_waits_for_the_next(objects: MemoryObjects) -> None:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryObjects):
        async def list(self, prefix: str, limit: int) -> list[str]:
            found = await super().list(prefix, limit)
            under_way.set()
            await go_on.wait()
            return found

    slow = Slow()
    libraries = opened(slow)
    early = asyncio.create_task(read(libraries))
    await under_way.wait()
    await opened_writer(slow).commit(OWNER, TAB_1, add("1"), Note)
    late = asyncio.create_task(read(libraries))
    go_on.set()
    await early
    assert await late == ["1"]


def opened_writer(slow: MemoryObjects) -> Libraries:
    """Another process on the same objects, without the delay."""
    plain = MemoryObjects()
    plain.bodies = slow.bodies
    return opened(plain)


async def test_a_snapshot_does_not_change_while_it_is_held(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    async with libraries.read(OWNER) as before:
        await libraries.commit(OWNER, TAB_1, add("2"), Note)
        assert names(before) == ["1"]
        async with libraries.read(OWNER) as after:
            assert names(after) == ["1", "2"]


async def test_a_handler_that_raises_leaves_nothing(objects: MemoryObjects) -> None:
    libraries = opened(objects)

    def half(db: sqlite3.Connection) -> Note:
        add("1")(db)
        raise NotFoundError("the other half is missing")

    with pytest.raises(NotFoundError):
        await libraries.commit(OWNER, TAB_1, half, Note)
    assert objects.bodies == {}
    assert await read(libraries) == []


async def test_a_refusal_is_never_based_on_an_old_version(objects: MemoryObjects) -> None:
    """What another process just made must not be answered with 404."""
    here, there = opened(objects), opened(objects)
    await read(here)
    await there.commit(OWNER, TAB_1, add("1"), Note)

    def needs_1(db: sqlite3.Connection) -> Note:
        if "1" not in names(db):
            raise NotFoundError("there is no 1")
        return Note(id="1", rows=1)

    assert (await here.commit(OWNER, TAB_1, needs_1, Note)).id == "1"


async def test_two_writers_lose_nothing_and_run_again_on_each_others_work(objects: MemoryObjects) -> None:
    processes = [opened(objects) for _ in range(4)]
    await asyncio.gather(
        *(
            process.commit(OWNER, Intent(f"tab-{i}"), add(f"{i}-{n}"), Note)
            for n in range(5)
            for i, process in enumerate(processes)
        )
    )
    expected = sorted(f"{i}-{n}" for n in range(5) for i in range(4))
    for process in [*processes, opened(objects)]:
        assert sorted(await read(process)) == expected
    seqs = sorted(KEYS.log_seq(key) for key in objects.bodies)
    assert seqs == list(range(1, len(seqs) + 1))


async def test_another_session_since_the_seen_version_is_a_conflict(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    await libraries.commit(OWNER, TAB_2, add("2"), Note)
    with pytest.raises(StaleSessionError) as caught:
        await libraries.commit(OWNER, Intent("tab-1", seen_version=1), add("3"), Note)
    assert caught.value.extra["current_version"] == 2
    assert caught.value.extra["committed_by"] == "tab-2"
    assert await read(libraries) == ["1", "2"]
    await libraries.commit(OWNER, Intent("tab-1", seen_version=2), add("3"), Note)


async def test_a_conflict_is_also_found_when_the_other_session_is_in_another_process(objects: MemoryObjects) -> None:
    here, there = opened(objects), opened(objects)
    await here.commit(OWNER, TAB_1, add("1"), Note)
    await there.commit(OWNER, TAB_2, add("2"), Note)
    with pytest.raises(StaleSessionError):
        await here.commit(OWNER, Intent("tab-1", seen_version=1), add("3"), Note)


@pytest.mark.parametrize("since", [SYSTEM, TAB_1])
async def test_the_system_and_the_same_session_never_conflict(objects: MemoryObjects, since: Intent) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    for name in "23":
        await libraries.commit(OWNER, since, add(name), Note)
    await libraries.commit(OWNER, Intent("tab-1", seen_version=1), add("4"), Note)
    assert await read(libraries) == ["1", "2", "3", "4"]


async def test_who_was_last_is_known_however_many_commits_ago(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each session the last commit stays on record; many of one push out no other."""
    monkeypatch.setattr("app.library.bookkeeping._KEPT_SESSIONS", 3)
    monkeypatch.setattr("app.library.bookkeeping._FORGET_EACH", 1)
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_2, add("0"), Note)
    for name in "12345678":
        await libraries.commit(OWNER, SYSTEM, add(f"s{name}"), Note)
        await libraries.commit(OWNER, TAB_1, add(name), Note)
    await libraries.commit(OWNER, Intent("tab-1", seen_version=1), add("9"), Note)
    with pytest.raises(StaleSessionError) as caught:
        await libraries.commit(OWNER, Intent("tab-1", seen_version=0), add("10"), Note)
    assert caught.value.extra["committed_by"] == "tab-2"
    for tab in "abc":
        await libraries.commit(OWNER, Intent(tab), add(tab), Note)
    async with libraries.read(OWNER) as db:
        sessions = [row["session"] for row in db.execute("SELECT session FROM commits ORDER BY version")]
    assert sessions == ["tab-1", "a", "b", "c"]


async def test_a_process_that_is_far_behind_writes_at_once(objects: MemoryObjects) -> None:
    here, there = opened(objects), opened(objects)
    await read(here)
    for number in range(40):
        await there.commit(OWNER, TAB_1, add(f"{number}"), Note)
    objects.calls.clear()
    await here.commit(OWNER, TAB_1, add("40"), Note)
    assert len(objects.calls) < 12
    for number in range(40):
        await here.commit(OWNER, TAB_1, add(f"a{number}"), Note)
    objects.calls.clear()
    await there.commit(OWNER, Intent("tab-1", seen_version=81), add("last"), Note)
    assert objects.count("create") == 1


async def test_a_copy_that_is_not_kept_is_closed(objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_ones: list[sqlite3.Connection] = []

    def noting(image: bytes) -> sqlite3.Connection:
        opened_ones.append(image_module.open_copy(image))
        return opened_ones[-1]

    monkeypatch.setattr(library_module, "open_copy", noting)
    here, there = opened(objects), opened(objects)
    await read(here)
    await there.commit(OWNER, TAB_1, add("1"), Note)
    await here.commit(OWNER, TAB_1, add("2"), Note)
    await read(there)
    monkeypatch.setattr(head_module, "MAX_IMAGE_BYTES", 1)
    with pytest.raises(LibraryTooLargeError):
        await there.commit(OWNER, TAB_1, add("3"), Note)
    is_open = [_is_open(connection) for connection in opened_ones]
    assert (len(is_open), sum(is_open)) == (4, 1), "all but the one on which the last record was made"


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


async def test_repeating_with_the_same_key_answers_again_without_writing(objects: MemoryObjects) -> None:
    once = Intent("tab-1", idempotency=Idempotency("k", "request-1"))
    first = await opened(objects).commit(OWNER, once, add("1"), Note)
    again = await opened(objects).commit(OWNER, once, add("1"), Note)
    assert again == first
    assert len(objects.bodies) == 1
    with pytest.raises(IdempotencyKeyReusedError):
        await opened(objects).commit(OWNER, Intent("tab-1", idempotency=Idempotency("k", "request-2")), add("2"), Note)


async def test_a_repeat_wins_over_a_conflict(objects: MemoryObjects) -> None:
    """The first try landed and its answer was lost; meanwhile another session wrote."""
    libraries = opened(objects)
    once = Intent("tab-1", seen_version=0, idempotency=Idempotency("k", "request-1"))
    first = await libraries.commit(OWNER, once, add("1"), Note)
    await libraries.commit(OWNER, TAB_2, add("2"), Note)
    assert await libraries.commit(OWNER, once, add("1"), Note) == first


async def test_when_nobody_knows_the_answer_is_503_and_the_repeat_finds_out(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.library.log._FIRST_PAUSE_S", 100.0)
    libraries = opened(objects)
    objects.fault = lambda call, key: "after" if call == "create" else None
    once = Intent("tab-1", idempotency=Idempotency("k", "request-1"))
    with pytest.raises(StoreUnavailableError):
        await libraries.commit(OWNER, once, add("1"), Note)
    objects.fault = lambda call, key: None
    assert await libraries.commit(OWNER, once, add("1"), Note) == Note(id="1", rows=1)
    assert await read(libraries) == ["1"]
    assert len(objects.bodies) == 1


async def test_an_old_key_is_forgotten(objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.bookkeeping._FORGET_EACH", 1)
    libraries = opened(objects)
    once = Intent("tab-1", idempotency=Idempotency("k", "request-1"))
    await libraries.commit(OWNER, once, add("1"), Note)

    def age(db: sqlite3.Connection) -> Note:
        db.execute("UPDATE idempotency SET committed_at = '2020-01-01T00:00:00.000Z'")
        return Note(id="", rows=0)

    await libraries.commit(OWNER, TAB_1, age, Note)
    async with libraries.read(OWNER) as db:
        assert db.execute("SELECT count(*) FROM idempotency").fetchone()[0] == 0


async def test_a_damaged_record_stops_the_library_and_is_never_read_as_empty(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    key = KEYS.log_record(OWNER, 0, 1)
    objects.bodies[key] = objects.bodies[key][:-9] + b"\0" * 9
    with pytest.raises(UnreadableLibraryError):
        await read(opened(objects))
    with pytest.raises(UnreadableLibraryError):
        await opened(objects).commit(OWNER, TAB_1, add("2"), Note)
    assert len(objects.bodies) == 1


async def test_owners_are_apart(objects: MemoryObjects) -> None:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    for other in (Owner("b", "default"), Owner("a", "second")):
        assert await read(libraries, other) == []


async def test_forgetting_a_library_costs_a_reload_only(objects: MemoryObjects) -> None:
    libraries = Libraries(objects, KEYS, cache_bytes=1)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    await read(libraries, Owner("b", "default"))
    assert await read(libraries) == ["1"]


async def test_growing_over_a_limit_is_noticed_once(objects: MemoryObjects, caplog: pytest.LogCaptureFixture) -> None:
    libraries = opened(objects)

    def grow(db: sqlite3.Connection) -> Note:
        db.execute("INSERT INTO games VALUES ('big', ?, '2026-01-01', 'home', '')", ("x" * 600_000,))
        return Note(id="big", rows=1)

    with caplog.at_level(logging.WARNING, "app.library"):
        await libraries.commit(OWNER, TAB_1, grow, Note)
        await libraries.commit(OWNER, TAB_1, add("1"), Note)
    assert caplog.text.count("has grown") == 1
