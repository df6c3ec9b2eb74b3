"""The connections of a cached library always show the version that was asked for, and are closed when unused."""

import asyncio
import sqlite3
import threading

import pytest

from app.library import connections as connections_module
from app.library.connections import Connections
from app.library.head import Commit, Head, empty_head, next_head
from app.library.image import open_copy, open_reader
from tests.app.library.notes import OWNER, add, names
from tests.app.waiting import PATIENCE_S

COMMIT = Commit(("tab-1",), "2026-01-01T00:00:00.000Z")


def heads(*added: str) -> list[Head]:
    """A version for each row."""
    head, db = empty_head(OWNER), open_copy(b"")
    made = []
    for name in added:
        add(name)(db)
        head, _ = next_head(head, db.serialize(), COMMIT)
        made.append(head)
    return made


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The images that readers were opened on."""
    images: list[bytes] = []

    def noting(image: bytes) -> sqlite3.Connection:
        images.append(image)
        return open_reader(image)

    monkeypatch.setattr(connections_module, "open_reader", noting)
    return images


async def test_readers_of_a_version_share_a_connection(opened: list[bytes]) -> None:
    (head,) = heads("1")
    connections = Connections()
    async with connections.reading(head) as first, connections.reading(head) as second:
        assert first is second
    async with connections.reading(head) as later:
        assert later is first
    assert opened == [head.image]


async def test_readers_that_come_together_end_with_one_connection(opened: list[bytes]) -> None:
    (head,) = heads("1")
    connections = Connections()
    found = []

    async def look() -> None:
        async with connections.reading(head) as db:
            found.append(db)
            assert names(db) == ["1"]

    await asyncio.gather(*(look() for _ in range(5)))
    assert len(set(map(id, found))) == 1
    assert connections.open_count == 1


async def test_a_reader_sees_its_version_and_never_another() -> None:
    one, two = heads("1", "2")
    connections = Connections()
    async with connections.reading(one) as old, connections.reading(two) as new, connections.reading(one) as again:
        assert (names(old), names(new), names(again)) == (["1"], ["1", "2"], ["1"])


async def test_many_readers_of_many_versions_see_their_own() -> None:
    made = heads(*"123456")
    connections = Connections()

    async def look(head: Head) -> list[str]:
        async with connections.reading(head) as db:
            await asyncio.sleep(0)
            return names(db)

    found = await asyncio.gather(*(look(head) for head in made * 5))
    assert found == [list("123456"[: n + 1]) for n in range(6)] * 5
    assert connections.open_count == 1


async def test_a_reader_cannot_write() -> None:
    (head,) = heads("1")
    async with Connections().reading(head) as db:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM games")


async def test_a_reader_is_closed_with_its_last_user_once_there_is_a_newer() -> None:
    one, two = heads("1", "2")
    connections = Connections()
    async with connections.reading(one) as old:
        async with connections.reading(one), connections.reading(two):
            assert is_open(old)
        assert is_open(old), "one of its two users is still there"
    assert not is_open(old)
    async with connections.reading(two) as new:
        pass
    assert is_open(new), "the newest is kept for the next"


async def test_dropping_disturbs_no_reader() -> None:
    (head,) = heads("1")
    connections = Connections()
    async with connections.reading(head) as held:
        connections.drop()
        assert connections.open_count == 0
        assert names(held) == ["1"]
    assert not is_open(held)
    async with connections.reading(head) as db:
        assert names(db) == ["1"]


async def test_a_drop_while_a_reader_opens_does_not_disturb_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (head,) = heads("1")
    connections = Connections()
    opening, go_on = threading.Event(), threading.Event()

    def slow(image: bytes) -> sqlite3.Connection:
        opening.set()
        go_on.wait(PATIENCE_S)
        return open_reader(image)

    monkeypatch.setattr(connections_module, "open_reader", slow)

    async def look() -> list[str]:
        async with connections.reading(head) as db:
            return names(db)

    looking = asyncio.create_task(look())
    await asyncio.to_thread(opening.wait, PATIENCE_S)
    connections.drop()
    go_on.set()
    assert await looking == ["1"]


async def test_a_reader_that_is_open_is_given_without_opening_another(opened: list[bytes]) -> None:
    one, two = heads("1", "2")
    connections = Connections()
    for head in (one, one, two, two):
        async with connections.reading(head):
            pass
    assert opened == [one.image, two.image]


def test_a_writer_is_taken_once_and_serves_its_version_when_given_back() -> None:
    one, two = heads("1", "2")
    connections = Connections()
    assert connections.take_writer(one) is None
    writer = open_copy(one.image)
    add("2")(writer)
    connections.give_writer(two, writer)
    assert connections.open_count == 1
    assert connections.take_writer(two) is writer
    assert connections.open_count == 0
    assert connections.take_writer(two) is None, "it is taken"
    assert is_open(writer)


def test_a_writer_of_another_version_is_closed_and_never_given() -> None:
    one, two = heads("1", "2")
    connections = Connections()
    writer = open_copy(two.image)
    connections.give_writer(two, writer)
    assert connections.take_writer(one) is None
    assert not is_open(writer)
    assert connections.open_count == 0


def test_a_writer_that_is_replaced_or_dropped_is_closed() -> None:
    (head,) = heads("1")
    connections = Connections()
    first, second = open_copy(head.image), open_copy(head.image)
    connections.give_writer(head, first)
    connections.give_writer(head, second)
    assert (is_open(first), is_open(second)) == (False, True)
    connections.drop()
    assert not is_open(second)
    assert connections.take_writer(head) is None
