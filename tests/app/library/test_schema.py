import sqlite3

import pytest

from app.library import schema
from app.library.errors import NewerSchemaError
from app.library.image import open_copy, open_reader


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_an_empty_library_has_all_tables() -> None:
    assert {"media", "games", "clips", "projects", "exports", "reels", "commits"} <= tables(open_copy(b""))


def test_an_older_library_is_migrated_and_keeps_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    old = open_copy(b"")
    old.execute("INSERT INTO games VALUES ('g', 'x', '2026-01-01', 'home', '')")
    image = old.serialize()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE games ADD COLUMN score TEXT"))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    row = open_reader(image).execute("SELECT id, score FROM games").fetchone()
    assert tuple(row) == ("g", None)


def test_a_broken_migration_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    image = open_copy(b"").serialize()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE extra (a); SELECT broken"))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    with pytest.raises(sqlite3.OperationalError):
        open_copy(image)


def test_a_newer_library_is_never_opened() -> None:
    newer = open_copy(b"")
    newer.execute("PRAGMA user_version = 999")
    with pytest.raises(NewerSchemaError, match="999"):
        open_copy(newer.serialize())


def test_readers_cannot_write() -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        open_reader(b"").execute("DELETE FROM games")
