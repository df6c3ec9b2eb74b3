import asyncio
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.kit.clock import now
from app.library import outbox
from app.library.bookkeeping import TABLES
from app.library.erase import Eraser
from app.library.errors import StaleSessionError, UnreadableLibraryError
from app.library.head import Commit, empty_head, next_head
from app.library.image import open_copy
from app.library.intent import Idempotency, Intent
from app.library.libraries import Libraries
from app.library.record import Place, encode, parse
from app.library.restore import Restore
from app.library.retention import tombstone_of
from app.library.schema import MIGRATIONS, SCHEMA_VERSION
from app.library.verify import Verification
from app.library.versions import NoSuchVersionError, Version, VersionGivenUpError, at_time, end_after, numbered
from tests.app.library.notes import KEYS, OWNER, Note, add, names, opened, read
from tests.app.memory_storage import MemoryObjects

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")
GARBAGE = b"RBLIB2\nwhat a broken disk gives"


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


def restoring(objects: MemoryObjects) -> Restore:
    return Restore(objects, KEYS, OWNER, now)


async def restore(objects: MemoryObjects, number: int) -> int:
    one = restoring(objects)
    return await one.append(numbered(await one.versions(), number))


def key(number: int, generation: int = 0) -> str:
    return KEYS.log_record(OWNER, generation, number)


async def written(objects: MemoryObjects, count: int) -> Libraries:
    """A process with a warm cache, after versions 1 to `count`, each of which adds the row of its name."""
    libraries = opened(objects)
    for number in range(1, count + 1):
        await libraries.commit(OWNER, TAB_1, add(str(number)), Note)
    return libraries


def bury(objects: MemoryObjects, number: int) -> None:
    record = parse(objects.bodies[key(number)], Place(OWNER, 0, number))
    objects.bodies[key(number)] = tombstone_of(record.header, record.sha256, with_writers=True)


async def sound(objects: MemoryObjects) -> bool:
    return not [finding async for finding in Verification(objects, KEYS, OWNER).findings()]


async def test_a_restore_appends_the_rows_of_then(objects: MemoryObjects) -> None:
    await written(objects, 3)
    before = dict(objects.bodies)
    assert await restore(objects, 1) == 4
    assert await read(opened(objects)) == ["1"]
    assert {each: body for each, body in objects.bodies.items() if each != key(4)} == before
    header = parse(objects.bodies[key(4)], Place(OWNER, 0, 4)).header
    assert (header.kind, header.writers, header.base_seq) == ("full", ("restore",), 4)
    assert header.prev_sha256 == hashlib.sha256(before[key(3)]).hexdigest()
    assert await sound(objects)


async def test_a_restore_can_be_undone_by_another(objects: MemoryObjects) -> None:
    await written(objects, 3)
    await restore(objects, 1)
    assert await restore(objects, 3) == 5
    assert await read(opened(objects)) == ["1", "2", "3"]


async def test_who_committed_stays_on_record(objects: MemoryObjects) -> None:
    await written(objects, 3)
    await restore(objects, 1)
    async with opened(objects).read(OWNER) as db:
        rows = [tuple(row) for row in db.execute("SELECT version, session FROM commits ORDER BY version")]
    assert rows == [(3, "tab-1"), (4, "restore")]


async def test_an_answer_given_under_a_key_stays_given(objects: MemoryObjects) -> None:
    await written(objects, 1)
    keyed = Intent("tab-1", idempotency=Idempotency("a-key", "0" * 64))
    await opened(objects).commit(OWNER, keyed, add("2"), Note)
    await restore(objects, 1)
    assert await opened(objects).commit(OWNER, keyed, add("2"), Note) == Note(id="2", rows=2)
    assert await read(opened(objects)) == ["1"]


async def test_effects_of_then_are_not_carried_out_again_and_those_of_now_stay(objects: MemoryObjects) -> None:
    def post(db: sqlite3.Connection) -> Note:
        outbox.post(db, "nobody", "{}")
        return Note(id="", rows=0)

    def take(db: sqlite3.Connection) -> Note:
        for effect in outbox.due(db):
            outbox.remove(db, effect)
        return Note(id="", rows=0)

    libraries = await written(objects, 1)
    for handler in (post, take):
        await libraries.commit(OWNER, TAB_1, handler, Note)
    await restore(objects, 2)
    async with opened(objects).read(OWNER) as db:
        assert outbox.due(db) == []
    await libraries.commit(OWNER, TAB_1, post, Note)
    await restore(objects, 1)
    async with opened(objects).read(OWNER) as db:
        # Never the number of an effect that was carried out: who removes that one would remove this.
        assert [effect.id for effect in outbox.due(db)] == [2]
    await libraries.close()


async def test_numbers_of_effects_go_on_where_none_is_left(objects: MemoryObjects) -> None:
    def post_and_take(db: sqlite3.Connection) -> Note:
        outbox.post(db, "nobody", "{}")
        (effect,) = outbox.due(db)
        outbox.remove(db, effect)
        return Note(id=str(effect.id), rows=0)

    libraries = await written(objects, 1)
    assert (await libraries.commit(OWNER, TAB_1, post_and_take, Note)).id == "1"
    await restore(objects, 1)
    assert (await libraries.commit(OWNER, TAB_1, post_and_take, Note)).id == "2"


def test_every_table_of_the_library_itself_is_there() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(";".join(MIGRATIONS))
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert set(TABLES) < names


async def test_an_open_page_is_told_to_read_again(objects: MemoryObjects) -> None:
    libraries = await written(objects, 3)
    await restore(objects, 1)
    with pytest.raises(StaleSessionError) as caught:
        await libraries.commit(OWNER, Intent("tab-1", seen_version=3), add("4"), Note)
    assert caught.value.extra["committed_by"] == "restore"
    assert caught.value.extra["current_version"] == 4
    await libraries.commit(OWNER, Intent("tab-1", seen_version=4), add("4"), Note)
    assert await read(opened(objects)) == ["1", "4"]


async def test_a_warm_process_goes_on_from_the_restored_version(objects: MemoryObjects) -> None:
    warm = await written(objects, 3)
    await restore(objects, 1)
    await warm.commit(OWNER, TAB_2, add("after"), Note)
    assert await read(warm) == await read(opened(objects)) == ["1", "after"]


async def test_an_older_schema_is_migrated(objects: MemoryObjects) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(f"{MIGRATIONS[0]};PRAGMA user_version=1")
        connection.execute("INSERT INTO games VALUES ('old', 'x', '2026-01-01', 'home', '')")
        connection.execute("INSERT INTO commits VALUES (1, 'tab-1', '2026-01-01T00:00:00.000Z')")
        image = connection.serialize()
    _, body = next_head(empty_head(OWNER), image, Commit(("tab-1",), ""))
    record = parse(body, Place(OWNER, 0, 1))
    objects.bodies[key(1)] = encode(record.header.model_copy(update={"schema_version": 1}), record.base)
    await opened(objects).commit(OWNER, TAB_1, add("new"), Note)
    await restore(objects, 1)
    async with opened(objects).read(OWNER) as db:
        assert names(db) == ["old"]
        assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert db.execute("SELECT count(*) FROM commits").fetchone()[0] == 2


async def test_behind_a_record_that_does_not_decode(objects: MemoryObjects) -> None:
    await written(objects, 3)
    objects.bodies[key(3)] = GARBAGE
    with pytest.raises(UnreadableLibraryError):
        await read(opened(objects))
    assert await restore(objects, 2) == 4
    assert parse(objects.bodies[key(4)], Place(OWNER, 0, 4)).header.prev_sha256 == hashlib.sha256(GARBAGE).hexdigest()
    assert objects.bodies[key(3)] == GARBAGE
    reopened = opened(objects)
    assert await read(reopened) == ["1", "2"]
    async with reopened.read(OWNER) as db:
        assert [row[0] for row in db.execute("SELECT version FROM commits ORDER BY version")] == [2, 4]
    with pytest.raises(StaleSessionError):
        await reopened.commit(OWNER, Intent("tab-1", seen_version=3), add("4"), Note)


async def test_a_warm_process_before_the_damaged_record_finds_the_restored_one(objects: MemoryObjects) -> None:
    before_read, before_write = opened(objects), opened(objects)
    await written(objects, 2)
    for process in (before_read, before_write):
        assert await read(process) == ["1", "2"]
    await opened(objects).commit(OWNER, TAB_1, add("3"), Note)
    objects.bodies[key(3)] = GARBAGE
    await restore(objects, 1)
    with pytest.raises(UnreadableLibraryError):
        await read(before_read)
    assert await read(before_read) == ["1"]
    with pytest.raises(UnreadableLibraryError):
        await before_write.commit(OWNER, TAB_1, add("lost"), Note)
    await before_write.commit(OWNER, TAB_1, add("4"), Note)
    assert await read(before_read) == ["1", "4"]


async def test_a_damaged_version_is_not_restored(objects: MemoryObjects) -> None:
    await written(objects, 3)
    objects.bodies[key(1)] = GARBAGE
    with pytest.raises(UnreadableLibraryError):
        await restore(objects, 1)
    assert key(4) not in objects.bodies


async def test_a_database_that_was_corrupt_when_it_was_written(objects: MemoryObjects) -> None:
    """Its hash is right. It is not restored, and a sound one is restored behind it."""
    await written(objects, 2)
    with closing(open_copy(b"")) as connection:
        image = bytearray(connection.serialize())
    image[4096:4100] = b"\xff\xff\xff\xff"
    end = end_after(Place(OWNER, 0, 2), objects.bodies[key(2)])
    _, objects.bodies[key(3)] = next_head(end, bytes(image), Commit(("tab-1",), ""))
    with pytest.raises(UnreadableLibraryError, match="record 3 of library a/default is "):
        await restore(objects, 3)
    assert await restore(objects, 2) == 4
    assert await read(opened(objects)) == ["1", "2"]


class Contested(MemoryObjects):
    """Each of `rivals` comes first to one create."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals: list[Callable[[], Awaitable[object]]] = []

    async def create(self, key: str, body: bytes) -> str | None:
        if self.rivals:
            await self.rivals.pop()()
        return await super().create(key, body)


async def test_other_writers_may_come_first_and_stay_on_record() -> None:
    objects = Contested()
    await written(objects, 2)
    objects.rivals = [partial(opened(objects).commit, OWNER, TAB_2, add(name), Note) for name in "ab"]
    assert await restore(objects, 1) == 5
    async with opened(objects).read(OWNER) as db:
        assert names(db) == ["1"]
        sessions = [row[0] for row in db.execute("SELECT session FROM commits ORDER BY version")]
    assert sessions == ["tab-1", "tab-2", "restore"]
    assert await sound(objects)


async def test_a_damaged_record_may_come_first() -> None:
    objects = Contested()
    await written(objects, 2)

    async def damage() -> None:
        objects.bodies[key(3)] = GARBAGE

    objects.rivals = [damage]
    assert await restore(objects, 1) == 4
    assert await read(opened(objects)) == ["1"]


async def test_two_operators_and_writers_at_once(objects: MemoryObjects) -> None:
    await written(objects, 3)
    processes = [opened(objects) for _ in range(3)]
    writes = [one.commit(OWNER, TAB_2, add(f"w{i}"), Note) for i, one in enumerate(processes)]
    numbers = (await asyncio.gather(restore(objects, 1), restore(objects, 2), *writes))[:2]
    assert len(set(numbers)) == 2
    assert sorted(KEYS.log_seq(each) for each in objects.bodies) == list(range(1, 9))
    assert await sound(objects)


async def test_a_lost_answer_is_not_a_second_restore(objects: MemoryObjects) -> None:
    await written(objects, 2)
    fates = iter(["after", "before"])
    objects.fault = lambda call, at: next(fates, None) if call == "create" else None
    assert await restore(objects, 1) == 3
    assert len(objects.bodies) == 3


async def test_by_time_the_newest_version_until_then(objects: MemoryObjects) -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    for hour in range(3):
        objects.clock = lambda hour=hour: start + timedelta(hours=hour)  # type: ignore[misc]
        await opened(objects).commit(OWNER, TAB_1, add(str(hour)), Note)
    versions = await restoring(objects).versions()
    assert [version.number for version in versions] == [3, 2, 1]
    assert at_time(versions, start + timedelta(minutes=90)).number == 2
    assert at_time(versions, start + timedelta(hours=1)).number == 2
    bury(objects, 2)
    assert at_time(await restoring(objects).versions(), start + timedelta(minutes=90)).number == 1
    with pytest.raises(NoSuchVersionError, match=r"the oldest is 1 \(2026-11-22T00:00:00.000Z\)"):
        at_time(versions, start - timedelta(seconds=1))


async def test_a_version_that_was_given_up_names_the_nearest(objects: MemoryObjects) -> None:
    await written(objects, 5)
    for number in (2, 3):
        bury(objects, number)
    versions: list[Version] = await restoring(objects).versions()
    with pytest.raises(VersionGivenUpError, match=r"version 2 was given up; the nearest kept: 1 \(.*\) and 4 \("):
        numbered(versions, 2)
    with pytest.raises(NoSuchVersionError, match=r"there is no version 9; the nearest kept: 5 \("):
        numbered(versions, 9)
    four = numbered(versions, 4)
    bury(objects, 4)
    with pytest.raises(VersionGivenUpError, match="version 4 was given up"):
        await restoring(objects).append(four)


async def test_what_was_erased_does_not_come_back(objects: MemoryObjects) -> None:
    await written(objects, 2)
    one = restoring(objects)
    target = numbered(await one.versions(), 1)
    kept = objects.bodies[key(1)]
    await Eraser(objects, KEYS, OWNER.user_id, now).erase()
    objects.bodies[key(1)] = kept
    with pytest.raises(VersionGivenUpError, match="was erased"):
        await one.append(target)
    assert await read(opened(objects)) == []
