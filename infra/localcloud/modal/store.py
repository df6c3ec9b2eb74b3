"""The stand-in's durable state: one SQLite file that only its owner may read, because it holds secrets and arguments.

Each room creates its own tables and keeps protobuf messages as bytes. A second process on the same file is refused.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]


class StateInUseError(RuntimeError):
    """Another stand-in holds the state folder."""


class Store:
    """Every statement is committed at once, or with its `transaction()`; a killed process loses nothing committed."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=0.2)
        try:
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise StateInUseError(
                f"{path} is in use by another Modal stand-in; stop it or use another state folder"
            ) from error

    def create(self, schema: str) -> None:
        self._connection.executescript(schema)

    def execute(self, sql: str, *values: object) -> int:
        """Runs one statement and returns how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
