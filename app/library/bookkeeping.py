"""The rows that every commit adds: who committed which version, and the answer kept under an idempotency key."""

import sqlite3
from datetime import datetime, timedelta

from app.kit.clock import rfc3339
from app.kit.owner import SYSTEM_SESSION
from app.library.errors import IdempotencyKeyReusedError, StaleSessionError
from app.library.intent import Idempotency, Intent

_KEPT_COMMITS = 1000
_KEPT_REPLIES = timedelta(hours=48)


def stored_reply(connection: sqlite3.Connection, idempotency: Idempotency | None) -> str | None:
    """The answer given before under this key; raises IdempotencyKeyReusedError when it was for another request."""
    if idempotency is None:
        return None
    row = connection.execute(
        "SELECT request_sha256, reply_json FROM idempotency WHERE key = ?", (idempotency.key,)
    ).fetchone()
    if row is None:
        return None
    if row["request_sha256"] != idempotency.request_sha256:
        raise IdempotencyKeyReusedError(
            f"Idempotency-Key {idempotency.key!r} was used for another request; take a new one"
        )
    return str(row["reply_json"])


def refuse_stale_session(connection: sqlite3.Connection, intent: Intent, head_version: int) -> None:
    """Raises StaleSessionError when another user session committed after the version that the caller saw."""
    if intent.seen_version is None or intent.seen_version >= head_version:
        return
    oldest, foreign = connection.execute(
        "SELECT min(version), max(version > ? AND session NOT IN (?, ?)) FROM commits",
        (intent.seen_version, intent.session, SYSTEM_SESSION),
    ).fetchone()
    forgotten = oldest is None or intent.seen_version < oldest - 1
    if foreign or forgotten:
        raise StaleSessionError(head_version)


def note_commit(
    connection: sqlite3.Connection, version: int, intent: Intent, reply_json: str, committed_at: datetime
) -> None:
    at = rfc3339(committed_at)
    connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (version, intent.session, at))
    connection.execute("DELETE FROM commits WHERE version <= ?", (version - _KEPT_COMMITS,))
    connection.execute("DELETE FROM idempotency WHERE committed_at < ?", (rfc3339(committed_at - _KEPT_REPLIES),))
    if intent.idempotency is not None:
        key, request_sha256 = intent.idempotency
        connection.execute("INSERT INTO idempotency VALUES (?, ?, ?, ?)", (key, request_sha256, reply_json, at))
