"""Effects outside the library (end a paid call, charge a wallet): a row beside the change that calls for them.

They are delivered after the commit, at least once, and repeated until they succeed: whoever carries one out must bear
its repetition. The process that committed delivers; after a crash the next that opens the library does.
"""

import sqlite3
from typing import NamedTuple

from app.kit.clock import now, rfc3339


class Effect(NamedTuple):
    id: int
    topic: str
    body_json: str


def post(connection: sqlite3.Connection, topic: str, body_json: str) -> None:
    """To be called by a handler; `topic` names who carries it out."""
    connection.execute(
        "INSERT INTO outbox (topic, body_json, posted_at) VALUES (?, ?, ?)", (topic, body_json, rfc3339(now()))
    )


def due(connection: sqlite3.Connection) -> list[Effect]:
    """In the order in which they were posted."""
    rows = connection.execute("SELECT id, topic, body_json FROM outbox ORDER BY id").fetchall()
    return [Effect(*row) for row in rows]


def is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM outbox LIMIT 1").fetchone() is None


def remove(connection: sqlite3.Connection, effect: Effect) -> None:
    connection.execute("DELETE FROM outbox WHERE (id, topic, body_json) = (?, ?, ?)", effect)
