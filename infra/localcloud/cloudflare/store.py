"""The stand-in's durable documents: JSON by (kind, key), kept in the order they were first written.

A write that returned survives SIGKILL and restart (SQLite, write-ahead log); a power cut may lose the latest ones.
One process at a time opens a folder.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from infra.localcloud.cloudflare.envelope import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX IF NOT EXISTS document_by_parent ON document (kind, parent, position);
"""


class Kind(StrEnum):
    ASSET = "asset"
    BUCKET = "bucket"
    DEPLOYMENT = "deployment"
    DNS_RECORD = "dns_record"
    DOMAIN = "domain"
    PROJECT = "project"
    SIGNING_KEY = "signing_key"
    TOKEN = "token"  # noqa: S105 -- the name of a kind of document
    ZONE = "zone"


class Store:
    """One SQLite file; `open()` before use, `close()` after."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.db"
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError(f"the store {self._path} is closed; start the stand-in first")
        return self._connection

    def get(self, kind: Kind, key: str) -> Json | None:
        row = self._db.execute("SELECT body FROM document WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return None if row is None else _document(row[0])

    def has(self, kind: Kind, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM document WHERE kind = ? AND key = ?", (kind, key)).fetchone() is not None

    def put(self, kind: Kind, key: str, body: Json, *, parent: str = "") -> None:
        """Writes or replaces; a replaced document keeps its place in the order."""
        self._db.execute(
            "INSERT INTO document (kind, key, parent, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET parent = excluded.parent, body = excluded.body",
            (kind, key, parent, json.dumps(body)),
        )

    def delete(self, kind: Kind, key: str) -> bool:
        """True when there was such a document."""
        return self._db.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0

    def all(self, kind: Kind, *, parent: str | None = None) -> list[Json]:
        """Every document of the kind, or those under one parent, oldest first."""
        if parent is None:
            rows = self._db.execute("SELECT body FROM document WHERE kind = ? ORDER BY position", (kind,))
        else:
            rows = self._db.execute(
                "SELECT body FROM document WHERE kind = ? AND parent = ? ORDER BY position", (kind, parent)
            )
        return [_document(row[0]) for row in rows]

    @contextmanager
    def together(self) -> Iterator[None]:
        """All writes inside happen, or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _document(text: str) -> Json:
    body: Json = json.loads(text)
    return body
