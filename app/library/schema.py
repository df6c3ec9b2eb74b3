"""The tables of a library, as ordered migrations on `PRAGMA user_version`; they run inside an in-memory copy.

A migration that has been released is never edited; a change is a new one at the end.
"""

import sqlite3
from contextlib import closing
from functools import cache

from app.library.errors import NewerSchemaError

MIGRATIONS = (
    """
    CREATE TABLE commits (
        version INTEGER PRIMARY KEY, session TEXT NOT NULL, committed_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE idempotency (
        key TEXT PRIMARY KEY, request_sha256 TEXT NOT NULL, reply_json TEXT NOT NULL, committed_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX idempotency_age ON idempotency (committed_at);

    CREATE TABLE media (
        id TEXT PRIMARY KEY, filename TEXT NOT NULL, content_type TEXT NOT NULL, size_bytes INTEGER NOT NULL,
        object_key TEXT NOT NULL, upload_id TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('uploading', 'probing', 'ready', 'failed')),
        error TEXT, probe_json TEXT, created_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE games (
        id TEXT PRIMARY KEY, opponent TEXT NOT NULL, played_on TEXT NOT NULL,
        venue TEXT NOT NULL CHECK (venue IN ('home', 'away', 'tournament')), created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE game_media (
        game_id TEXT NOT NULL REFERENCES games, position INTEGER NOT NULL, media_id TEXT NOT NULL REFERENCES media,
        PRIMARY KEY (game_id, position), UNIQUE (game_id, media_id)
    ) STRICT;

    CREATE TABLE clips (
        id TEXT PRIMARY KEY, game_id TEXT NOT NULL REFERENCES games, media_id TEXT NOT NULL REFERENCES media,
        in_frame INTEGER NOT NULL, out_frame INTEGER NOT NULL,
        rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5), tags_json TEXT NOT NULL, notes TEXT NOT NULL,
        revision INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        CHECK (0 <= in_frame AND in_frame < out_frame)
    ) STRICT;
    CREATE INDEX clips_of_game ON clips (game_id, in_frame);

    CREATE TABLE projects (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, aspect_ratio TEXT NOT NULL, revision INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE clip_edits (
        id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects, position INTEGER NOT NULL,
        clip_id TEXT NOT NULL REFERENCES clips, clip_revision INTEGER NOT NULL,
        media_id TEXT NOT NULL REFERENCES media, in_frame INTEGER NOT NULL, out_frame INTEGER NOT NULL,
        UNIQUE (project_id, position)
    ) STRICT;
    CREATE INDEX clip_edits_of_clip ON clip_edits (clip_id);
    CREATE TABLE crop_keyframes (
        edit_id TEXT NOT NULL REFERENCES clip_edits, frame INTEGER NOT NULL,
        x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL, easing TEXT NOT NULL,
        PRIMARY KEY (edit_id, frame)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE exports (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, project_id TEXT REFERENCES projects, clip_id TEXT,
        recipe_json TEXT NOT NULL, recipe_sha256 TEXT NOT NULL, source_key TEXT NOT NULL, output_key TEXT NOT NULL,
        title TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN
            ('pending', 'running', 'rendered', 'finalizing', 'complete', 'failed', 'cancelled')),
        attempt INTEGER NOT NULL, restarts INTEGER NOT NULL, renderer TEXT, call_id TEXT, result_json TEXT,
        phase TEXT NOT NULL, frames_done INTEGER NOT NULL, frames_total INTEGER NOT NULL, reel_id TEXT,
        error_code TEXT, error_message TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE reels (
        id TEXT PRIMARY KEY, export_id TEXT NOT NULL UNIQUE REFERENCES exports,
        project_id TEXT REFERENCES projects, clip_id TEXT, version INTEGER NOT NULL,
        recipe_sha256 TEXT NOT NULL, object_key TEXT NOT NULL, title TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, frame_count INTEGER NOT NULL,
        fps_num INTEGER NOT NULL, fps_den INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX reels_of_source ON reels (project_id, clip_id, version);
    """,
    """
    ALTER TABLE commits RENAME TO lone_commits;
    CREATE TABLE commits (
        version INTEGER NOT NULL, session TEXT NOT NULL, committed_at TEXT NOT NULL, PRIMARY KEY (version, session)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO commits SELECT version, session, committed_at FROM lone_commits;
    DROP TABLE lone_commits;
    DROP INDEX idempotency_age;
    ALTER TABLE idempotency ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, body_json TEXT NOT NULL, posted_at TEXT NOT NULL
    ) STRICT;
    """,
)
SCHEMA_VERSION = len(MIGRATIONS)


def require_ours(connection: sqlite3.Connection) -> None:
    """Raises NewerSchemaError when the database is of a newer release, and ValueError when it is no library."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise NewerSchemaError.of(version, SCHEMA_VERSION)
    found = _tables_in(connection)
    if version < 0 or (version == 0 and found):
        raise ValueError("it has tables and no schema version of ours")
    missing = _tables_after(MIGRATIONS[:version]) - found
    if missing:
        raise ValueError(f"it has no table {min(missing)}")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a library to SCHEMA_VERSION."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(found, SCHEMA_VERSION):
        connection.executescript(f"BEGIN;{MIGRATIONS[number]};PRAGMA user_version={number + 1};COMMIT")


@cache
def _tables_after(migrations: tuple[str, ...]) -> frozenset[str]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for migration in migrations:
            fresh.executescript(migration)
        return _tables_in(fresh)


def _tables_in(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"))
