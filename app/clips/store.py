"""The clips table."""

import json
import sqlite3
from typing import Any

from app.clips.schemas import Clip


def insert(db: sqlite3.Connection, clip: Clip) -> None:
    db.execute(
        """INSERT INTO clips VALUES (:id, :game_id, :media_id, :in_frame, :out_frame, :rating, :tags_json, :notes,
           :revision, :created_at, :updated_at)""",
        _values(clip),
    )


def update(db: sqlite3.Connection, clip: Clip) -> None:
    db.execute(
        """UPDATE clips SET in_frame = :in_frame, out_frame = :out_frame, rating = :rating, tags_json = :tags_json,
           notes = :notes, revision = :revision, updated_at = :updated_at WHERE id = :id""",
        _values(clip),
    )


def delete(db: sqlite3.Connection, clip_id: str) -> bool:
    """False when a project uses the clip."""
    try:
        db.execute("DELETE FROM clips WHERE id = ?", (clip_id,))
    except sqlite3.IntegrityError:
        return False
    return True


def find(db: sqlite3.Connection, clip_id: str) -> Clip | None:
    row = db.execute("SELECT * FROM clips WHERE id = ?", (clip_id,)).fetchone()
    return _clip(row) if row else None


def find_all(db: sqlite3.Connection) -> list[Clip]:
    return [_clip(row) for row in db.execute("SELECT * FROM clips")]


def find_of_game(db: sqlite3.Connection, game_id: str) -> list[Clip]:
    rows = db.execute(
        """SELECT clips.* FROM clips JOIN game_media USING (game_id, media_id) WHERE game_id = ?
           ORDER BY position, in_frame, out_frame, id""",
        (game_id,),
    )
    return [_clip(row) for row in rows]


def _values(clip: Clip) -> dict[str, Any]:
    values = clip.model_dump()
    return {**values, "tags_json": json.dumps(values.pop("tags"))}


def _clip(row: sqlite3.Row) -> Clip:
    values = dict(row)
    return Clip.model_validate({**values, "tags": json.loads(values.pop("tags_json"))})
