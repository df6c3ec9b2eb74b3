"""One `database.sqlite` of the plan before this one: imported once as record 1, or refused; never touched."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.kit.errors import AppError
from app.library.errors import NewerSchemaError
from app.library.head import Commit, closed_head, empty_head
from app.library.intent import Intent
from app.library.legacy import ImportRefusedError
from app.library.record import MAX_IMAGE_BYTES, Place, parse
from app.library.schema import MIGRATIONS, SCHEMA_VERSION
from app.storage.port import StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import PATIENCE_S

OLD = KEYS.legacy_database(OWNER)
WAL = f"{OLD}-wal"
FIRST = KEYS.log_record(OWNER, 0, 1)
TAB = Intent("tab")
ROWS = [f"old-{number:03d}" for number in range(300)]

Change = Callable[[sqlite3.Connection], object]


@contextmanager
def old_file(path: Path, schema: int = SCHEMA_VERSION) -> Iterator[sqlite3.Connection]:
    """A database as a server of that schema left it, with 300 games."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    for number in range(schema):
        connection.executescript(f"{MIGRATIONS[number]};PRAGMA user_version={number + 1}")
    connection.executemany(
        "INSERT INTO games VALUES (?, 'Rovers', '2026-01-01', 'home', '')", [(name,) for name in ROWS]
    )
    connection.commit()
    yield connection
    connection.close()


def old_database(folder: Path, change: Change = lambda connection: None, schema: int = SCHEMA_VERSION) -> bytes:
    path = folder / "database.sqlite"
    with old_file(path, schema) as connection:
        change(connection)
        connection.commit()
    return path.read_bytes()


def statement(sql: str) -> Change:
    return lambda connection: connection.executescript(sql)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return old_database(tmp_path_factory.mktemp("old"))


def store(database: bytes) -> MemoryObjects:
    objects = MemoryObjects()
    objects.bodies[OLD] = database
    return objects


async def require_refused(
    database: bytes, message: str, refusal: type[AppError] = ImportRefusedError, wal: bytes | None = None
) -> None:
    """By reads and commits, each time again; nothing is written, and nothing is read as empty."""
    objects = store(database)
    if wal is not None:
        objects.bodies[WAL] = wal
    before = dict(objects.bodies)
    libraries = opened(objects)
    for _ in range(2):
        with pytest.raises(refusal, match=message):
            await read(libraries)
        with pytest.raises(refusal, match=message):
            await libraries.commit(OWNER, TAB, add("new"), Note)
    assert objects.bodies == before


async def test_the_first_who_opens_imports_it_and_everyone_has_its_rows(database: bytes) -> None:
    objects = store(database)
    assert await read(opened(objects)) == ROWS
    assert set(objects.bodies) == {OLD, FIRST}
    header = parse(objects.bodies[FIRST], Place(OWNER, 0, 1)).header
    assert (header.kind, header.seq, header.prev_sha256, header.writers) == ("full", 1, "", ("system",))
    assert await read(opened(objects)) == ROWS


async def test_a_commit_is_enough_to_import(database: bytes) -> None:
    objects = store(database)
    libraries = opened(objects)
    assert (await libraries.commit(OWNER, TAB, add("new"), Note)).rows == len(ROWS) + 1
    assert set(objects.bodies) == {OLD, FIRST, KEYS.log_record(OWNER, 0, 2)}
    assert await read(opened(objects)) == [*ROWS, "new"]


async def test_an_import_is_no_conflict_for_who_saw_it(database: bytes) -> None:
    libraries = opened(store(database))
    await read(libraries)
    for name in ("1", "2"):
        await libraries.commit(OWNER, Intent("tab", seen_version=1), add(name), Note)


async def test_commits_of_the_old_numbering_are_no_conflict(tmp_path: Path) -> None:
    old = statement("INSERT INTO commits VALUES (9, 'a tab of long ago', '2020-01-01T00:00:00.000Z')")
    libraries = opened(store(old_database(tmp_path, old)))
    await read(libraries)
    for name in ("1", "2"):
        await libraries.commit(OWNER, Intent("tab", seen_version=1), add(name), Note)


async def test_the_old_object_is_read_once_and_never_written(database: bytes) -> None:
    objects = store(database)
    for name in ("1", "2"):
        libraries = opened(objects)
        await read(libraries)
        await libraries.commit(OWNER, TAB, add(name), Note)
    assert objects.bodies[OLD] == database
    assert [call for call in objects.calls if call[1].startswith(OLD)] == [("get", OLD), ("head", WAL)]


class AllAtOnce(MemoryObjects):
    """Nobody's record is created before all have read the old database."""

    def __init__(self, database: bytes, processes: int) -> None:
        super().__init__()
        self.bodies[OLD] = database
        self._here = asyncio.Barrier(processes)

    async def create(self, key: str, body: bytes) -> str | None:
        if key == FIRST:
            await self._here.wait()
        return await super().create(key, body)


@pytest.mark.parametrize("processes", [2, 5])
async def test_of_processes_that_open_it_at_once_one_imports(database: bytes, processes: int) -> None:
    objects = AllAtOnce(database, processes)
    each = [opened(objects) for _ in range(processes)]
    async with asyncio.timeout(PATIENCE_S):
        found = await asyncio.gather(*map(read, each))
    assert found == [ROWS] * processes
    assert set(objects.bodies) == {OLD, FIRST}
    assert objects.calls.count(("create", FIRST)) == processes
    assert objects.bodies[OLD] == database
    for number, libraries in enumerate(each):
        await libraries.commit(OWNER, TAB, add(f"new {number}"), Note)
    for libraries in each:
        assert await read(libraries) == [*ROWS, *(f"new {number}" for number in range(processes))]


@pytest.mark.parametrize("how", ["before", "after"])
async def test_an_import_whose_answer_is_lost_happens_once(database: bytes, how: str) -> None:
    objects = store(database)
    lost = iter([how] * 2)
    objects.fault = lambda call, key: next(lost, None) if (call, key) == ("create", FIRST) else None
    assert await read(opened(objects)) == ROWS
    assert set(objects.bodies) == {OLD, FIRST}


async def test_an_import_that_cannot_be_written_is_a_503_and_no_empty_library(database: bytes) -> None:
    objects = store(database)
    objects.fault = lambda call, key: "before" if call == "create" else None
    with pytest.raises(StoreUnavailableError):
        await read(opened(objects, deadline_s=0.0))
    assert set(objects.bodies) == {OLD}
    objects.fault = lambda call, key: None
    assert await read(opened(objects)) == ROWS


@pytest.mark.parametrize("call", ["get", "head"])
async def test_an_old_object_out_of_reach_is_a_503_and_no_empty_library(database: bytes, call: str) -> None:
    objects = store(database)
    objects.fault = lambda made, key: "before" if made == call and key.startswith(OLD) else None
    with pytest.raises(StoreUnavailableError):
        await read(opened(objects))
    assert set(objects.bodies) == {OLD}


async def test_a_library_with_a_log_ignores_the_old_object(database: bytes) -> None:
    objects = MemoryObjects()
    await opened(objects).commit(OWNER, TAB, add("new"), Note)
    objects.bodies |= {OLD: database, WAL: b"more"}
    objects.calls.clear()
    assert await read(opened(objects)) == ["new"]
    assert [key for _, key in objects.calls if key.startswith(OLD)] == []


async def test_a_library_that_was_erased_does_not_come_back_from_the_old_object(database: bytes) -> None:
    objects = store(database)
    head, objects.bodies[FIRST] = closed_head(empty_head(OWNER), Commit(("tab",), ""))
    libraries = opened(objects)
    assert await read(libraries) == []
    await libraries.commit(OWNER, TAB, add("new life"), Note)
    assert set(objects.bodies) == {OLD, FIRST, KEYS.log_record(OWNER, head.generation, head.seq + 1)}
    assert await read(opened(objects)) == ["new life"]


async def test_an_older_schema_is_migrated_and_keeps_its_rows(tmp_path: Path) -> None:
    libraries = opened(store(old_database(tmp_path, schema=1)))
    async with libraries.read(OWNER) as db:
        assert [row["id"] for row in db.execute("SELECT id FROM games ORDER BY rowid")] == ROWS
        assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0


async def test_an_empty_database_becomes_an_empty_library(tmp_path: Path) -> None:
    """As a server of the plan before left it that was stopped before its first table."""
    nothing = sqlite3.connect(tmp_path / "empty.sqlite")
    nothing.executescript("CREATE TABLE x (a); DROP TABLE x;")
    nothing.close()
    assert await read(opened(store((tmp_path / "empty.sqlite").read_bytes()))) == []


async def test_a_write_ahead_log_beside_it_is_refused(database: bytes) -> None:
    for wal in (b"", b"some pages"):
        await require_refused(database, "wal_checkpoint", wal=wal)


async def test_once_the_log_is_checkpointed_and_gone_it_is_imported(tmp_path: Path) -> None:
    """The advice of the refusal, followed."""
    objects = MemoryObjects()
    path = tmp_path / "database.sqlite"
    with old_file(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO games VALUES ('in the log', 'x', '2026-01-01', 'home', '')")
        connection.commit()
        objects.bodies |= {OLD: path.read_bytes(), WAL: path.with_name(f"{path.name}-wal").read_bytes()}
        libraries = opened(objects)
        with pytest.raises(ImportRefusedError):
            await read(libraries)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        objects.bodies[OLD] = path.read_bytes()
    del objects.bodies[WAL]
    assert objects.bodies[OLD][18:20] == b"\2\2", "the header still says WAL"
    assert await read(libraries) == [*ROWS, "in the log"]


CUTS = [0, 1, 15, 20, 99, 100, 511, 512, 4095, 4096, 3 * 4096 + 100]


@pytest.mark.parametrize("length", CUTS)
async def test_a_cut_database_is_refused(database: bytes, length: int) -> None:
    await require_refused(database[:length], "corrupt|no SQLite database")


@pytest.mark.parametrize("length", [16, 17, 18, 19])
async def test_a_database_cut_within_its_header_is_refused(database: bytes, length: int) -> None:
    await require_refused(database[:length], "corrupt|no SQLite database")


async def test_a_database_cut_within_its_last_page_is_refused(tmp_path: Path) -> None:
    cut = old_database(tmp_path, statement("CREATE TABLE last (text); INSERT INTO last VALUES (hex(zeroblob(1500)))"))
    await require_refused(cut[:-1000], "corrupt|no SQLite database")


@pytest.mark.parametrize("page", [1, 5, 12, 25, -1])
async def test_a_database_with_a_page_of_zeros_is_refused(database: bytes, page: int) -> None:
    pages = [database[at : at + 4096] for at in range(0, len(database), 4096)]
    pages[page] = bytes(4096)
    await require_refused(b"".join(pages), "corrupt")


@pytest.mark.parametrize("page", [1, 25])
async def test_a_database_with_a_page_in_the_place_of_another_is_refused(database: bytes, page: int) -> None:
    await require_refused(database[: page * 4096] + database[: len(database) - page * 4096], "corrupt")


async def test_flipped_bytes_are_refused_or_within_a_value(database: bytes) -> None:
    """SQLite has no checksums: what changes a letter of a text only cannot be found."""
    found = set()
    for seed in range(300):
        rng = random.Random(seed)
        bent = bytearray(database)
        for _ in range(rng.choice((1, 3, 30))):
            bent[rng.randrange(len(bent))] ^= rng.randrange(1, 256)
        objects = store(bytes(bent))
        try:
            found.add(len(await read(opened(objects))))
        except (ImportRefusedError, NewerSchemaError):
            assert set(objects.bodies) == {OLD}, f"seed {seed}"
        assert objects.bodies[OLD] == bent
    assert found == {len(ROWS)}, "damage was read as another library"


async def test_what_is_no_database_is_refused() -> None:
    for body in (b"", b"no database", bytes(8192), b"SQLite format 3"):
        await require_refused(body, "no SQLite database")


async def test_a_database_larger_than_a_library_is_refused(database: bytes) -> None:
    await require_refused(database + bytes(MAX_IMAGE_BYTES), "up to")


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 2**31 - 1])
async def test_a_newer_schema_is_refused(tmp_path: Path, version: int) -> None:
    newer = old_database(tmp_path, statement(f"PRAGMA user_version = {version}"))
    await require_refused(newer, f"schema {version}", NewerSchemaError)


async def test_a_negative_schema_is_refused(tmp_path: Path) -> None:
    await require_refused(old_database(tmp_path, statement("PRAGMA user_version = -1")), "corrupt|schema")


def foreign(folder: Path, version: int, sql: str = "CREATE TABLE notes (text)") -> bytes:
    connection = sqlite3.connect(folder / "foreign.sqlite")
    connection.executescript(f"{sql}; PRAGMA user_version = {version}")
    connection.close()
    return (folder / "foreign.sqlite").read_bytes()


async def test_tables_of_something_else_are_refused(tmp_path: Path) -> None:
    await require_refused(foreign(tmp_path, 0), "not a library")


async def test_our_tables_without_a_schema_version_are_refused(tmp_path: Path) -> None:
    await require_refused(old_database(tmp_path, statement("PRAGMA user_version = 0")), "no schema version")


async def test_tables_of_something_else_with_an_older_version_are_refused(tmp_path: Path) -> None:
    await require_refused(foreign(tmp_path, 1), "corrupt|not a library")


@pytest.mark.parametrize("sql", ["CREATE TABLE notes (text)", "", "CREATE TABLE games (id)"])
async def test_tables_of_something_else_with_our_version_are_refused(tmp_path: Path, sql: str) -> None:
    await require_refused(foreign(tmp_path, SCHEMA_VERSION, sql), "corrupt|not a library")


async def test_a_refused_database_that_is_mended_is_imported(database: bytes) -> None:
    objects = store(database[:5000])
    libraries = opened(objects)
    with pytest.raises(ImportRefusedError):
        await read(libraries)
    objects.bodies[OLD] = database
    assert await read(libraries) == ROWS
