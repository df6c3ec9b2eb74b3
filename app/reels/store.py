"""The reels table: rows are added and deleted, never changed."""

import sqlite3

from pydantic import BaseModel

_SELECT = """SELECT * FROM
    (SELECT *, version = max(version) OVER (PARTITION BY project_id, clip_id) AS newest FROM reels)
    WHERE :id IS NULL OR id = :id ORDER BY created_at DESC, id"""


class ReelRow(BaseModel, frozen=True):
    """Exactly one of `project_id` and `clip_id` is set: what the versions count."""

    id: str
    export_id: str
    project_id: str | None
    clip_id: str | None
    version: int
    recipe_sha256: str
    object_key: str
    title: str
    width: int
    height: int
    frame_count: int
    fps_num: int
    fps_den: int
    duration_ms: int
    size_bytes: int
    sha256: str
    created_at: str


class FoundReel(ReelRow, frozen=True):
    newest: bool


def insert(db: sqlite3.Connection, row: ReelRow) -> None:
    db.execute(
        """INSERT INTO reels VALUES (:id, :export_id, :project_id, :clip_id, :version, :recipe_sha256, :object_key,
           :title, :width, :height, :frame_count, :fps_num, :fps_den, :duration_ms, :size_bytes, :sha256,
           :created_at)""",
        row.model_dump(),
    )


def delete(db: sqlite3.Connection, reel_id: str) -> None:
    db.execute("DELETE FROM reels WHERE id = ?", (reel_id,))


def has_object(db: sqlite3.Connection, object_key: str) -> bool:
    return db.execute("SELECT 1 FROM reels WHERE object_key = ?", (object_key,)).fetchone() is not None


def next_version(db: sqlite3.Connection, project_id: str | None, clip_id: str | None) -> int:
    (highest,) = db.execute(
        "SELECT max(version) FROM reels WHERE project_id IS ? AND clip_id IS ?", (project_id, clip_id)
    ).fetchone()
    return int(highest or 0) + 1


def find(db: sqlite3.Connection, reel_id: str) -> FoundReel | None:
    row = db.execute(_SELECT, {"id": reel_id}).fetchone()
    return FoundReel.model_validate(dict(row)) if row else None


def find_all(db: sqlite3.Connection) -> list[FoundReel]:
    return [FoundReel.model_validate(dict(row)) for row in db.execute(_SELECT, {"id": None})]
