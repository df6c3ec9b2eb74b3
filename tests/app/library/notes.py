"""A tiny domain for the library's own tests: games, written with raw statements."""

import sqlite3
from collections.abc import Callable

from pydantic import BaseModel

from app.kit.owner import Owner
from app.library.libraries import Libraries
from app.storage.keys import Keys
from app.storage.port import ObjectStore

OWNER = Owner("a", "default")
KEYS = Keys("development")


class Note(BaseModel):
    id: str
    rows: int


def opened(objects: ObjectStore, deadline_s: float = 10.0) -> Libraries:
    """As another process would open them: with nothing cached."""
    return Libraries(objects, KEYS, deadline_s=deadline_s)


def add(name: str) -> Callable[[sqlite3.Connection], Note]:
    def handler(db: sqlite3.Connection) -> Note:
        db.execute("INSERT INTO games VALUES (?, 'x', '2026-01-01', 'home', '')", (name,))
        return Note(id=name, rows=len(names(db)))

    return handler


def names(db: sqlite3.Connection) -> list[str]:
    return [row["id"] for row in db.execute("SELECT id FROM games ORDER BY rowid")]


async def read(libraries: Libraries, owner: Owner = OWNER) -> list[str]:
    async with libraries.read(owner) as db:
        return names(db)
