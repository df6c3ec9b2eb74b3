"""The metadata: one SQLite file, one connection, one lock, so that calls from any thread see whole transactions.

A commit survives SIGKILL because it has reached the kernel; it survives a power cut only with `fsync=True`.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA_VERSION = 1
_SCHEMA = """
create table buckets(
    name text primary key, created_at real not null, location text, storage_class text not null,
    cors text not null, lifecycle text not null
) without rowid;
create table objects(
    id integer primary key, bucket text not null, key text not null, size integer not null, etag text not null,
    headers text not null, modified_at real not null, unique(bucket, key)
);
create table segments(
    object integer not null, position integer not null, start integer not null, size integer not null,
    blob text not null, primary key(object, position)
) without rowid;
create index segments_by_blob on segments(blob);
create table uploads(
    id text primary key, bucket text not null, key text not null, headers text not null, created_at real not null
) without rowid;
create index uploads_by_key on uploads(bucket, key, id);
create table parts(
    upload text not null, number integer not null, blob text not null, size integer not null, etag text not null,
    modified_at real not null, primary key(upload, number)
) without rowid;
create table credentials(
    access_key_id text primary key, secret text not null, bucket text not null, permission text not null
) without rowid;
"""

Row = tuple[Any, ...]


class Database:
    def __init__(self, path: Path, *, fsync: bool) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute(f"pragma synchronous={'full' if fsync else 'off'}")
        self._migrate(path)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept or nothing; an inner transaction joins the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("begin immediate")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("rollback")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("commit")

    def run(self, sql: str, parameters: Row = ()) -> int:
        """Runs one statement; returns the id of an inserted row."""
        with self._lock:
            return self._connection.execute(sql, parameters).lastrowid or 0

    def run_many(self, sql: str, rows: list[Row]) -> None:
        with self._lock:
            self._connection.executemany(sql, rows)

    def row(self, sql: str, parameters: Row = ()) -> Row | None:
        with self._lock:
            found: Row | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def rows(self, sql: str, parameters: Row = ()) -> list[Row]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def scan(self, sql: str, parameters: Row = ()) -> Iterator[sqlite3.Cursor]:
        """Rows one by one, for a reader that may stop early; others wait meanwhile."""
        with self._lock:
            cursor = self._connection.execute(sql, parameters)
            try:
                yield cursor
            finally:
                cursor.close()

    def _migrate(self, path: Path) -> None:
        (version,) = self.row("pragma user_version") or (0,)
        if version == 0:
            self._connection.executescript(f"begin; {_SCHEMA} pragma user_version={_SCHEMA_VERSION}; commit;")
        elif version != _SCHEMA_VERSION:
            raise RuntimeError(
                f"{path} has schema {version}, not {_SCHEMA_VERSION}; delete the state folder to start anew"
            )
