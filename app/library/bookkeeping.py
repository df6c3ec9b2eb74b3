"""The rows that every commit adds: who committed which version, and the answer kept under an idempotency key."""

import sqlite3
from datetime import datetime, timedelta
from typing import NamedTuple

from app.kit.clock import rfc3339
from app.kit.owner import SYSTEM_SESSION
from app.library.errors import IdempotencyKeyReusedError, StaleSessionError
from app.library.intent import Idempotency, Intent

_KEPT_SESSIONS = 1000
_KEPT_REPLIES = timedelta(hours=48)
_FORGET_EACH = 16
ERASER_SESSION = "erase"
TABLES = ("commits", "idempotency", "outbox")
"""The library's own tables: a restore keeps their present rows, whatever version the others come from."""


class StoredReply(NamedTuple):
    """`version` is the one that the answered write made, however many came after it."""

    reply_json: str
    version: int


def stored_reply(connection: sqlite3.Connection, idempotency: Idempotency | None) -> StoredReply | None:
    """The answer given before under this key; raises IdempotencyKeyReusedError when it was for another request."""
    if idempotency is None:
        return None
    row = connection.execute(
        "SELECT request_sha256, reply_json, version FROM idempotency WHERE key = ?", (idempotency.key,)
    ).fetchone()
    if row is None:
        return None
    if row["request_sha256"] != idempotency.request_sha256:
        raise IdempotencyKeyReusedError(
            f"Idempotency-Key {idempotency.key!r} was used for another request; take a new one"
        )
    return StoredReply(row["reply_json"], row["version"])


def refuse_stale_session(connection: sqlite3.Connection, intent: Intent, head_version: int) -> None:
    """Raises StaleSessionError when another user session committed after the version that the caller saw."""
    seen = intent.seen_version
    if seen is None or seen >= head_version:
        return
    foreign = connection.execute(
        "SELECT version, session, committed_at FROM commits WHERE version > ? AND session NOT IN (?, ?)"
        " ORDER BY version DESC LIMIT 1",
        (seen, intent.session, SYSTEM_SESSION),
    ).fetchone()
    if foreign is not None:
        raise StaleSessionError(head_version, committed_by=foreign["session"], committed_at=foreign["committed_at"])
    if _is_nobody_on_record(connection):
        raise StaleSessionError(head_version, committed_by=ERASER_SESSION)


def _put_on_record(connection: sqlite3.Connection, version: int, session: str, at: str) -> None:
    known = connection.execute(
        "UPDATE commits SET version = ?, committed_at = ? WHERE session = ?"
        " AND version = (SELECT max(version) FROM commits WHERE session = ?)",
        (version, at, session, session),
    )
    if known.rowcount == 0:
        if version > 1 and _is_nobody_on_record(connection):
            connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (version - 1, ERASER_SESSION, at))
        connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (version, session, at))


def _is_nobody_on_record(connection: sqlite3.Connection) -> bool:
    """As behind an erasure; the first commit after it notes that it happened."""
    return connection.execute("SELECT 1 FROM commits LIMIT 1").fetchone() is None


def note_commit(
    connection: sqlite3.Connection, version: int, intent: Intent, reply_json: str, committed_at: datetime
) -> None:
    """Of each session, the system's too, only the last commit stays on record: that is what conflicts are judged by."""
    at = rfc3339(committed_at)
    _put_on_record(connection, version, intent.session, at)
    if intent.idempotency is not None:
        key, request_sha256 = intent.idempotency
        connection.execute(
            "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)", (key, request_sha256, reply_json, at, version)
        )
    if version % _FORGET_EACH == 0:
        connection.execute(
            "DELETE FROM commits WHERE version < (SELECT version FROM commits ORDER BY version DESC LIMIT 1 OFFSET ?)",
            (_KEPT_SESSIONS,),
        )
        connection.execute("DELETE FROM idempotency WHERE committed_at < ?", (rfc3339(committed_at - _KEPT_REPLIES),))
