"""The media table. `expired` is never stored: an upload left open longer than the store keeps its parts is expired."""

import sqlite3
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from app.kit.clock import now, parse_rfc3339
from app.media.schemas import Media, MediaStatus
from gpu.plan.spec import ProbeInfo

UPLOAD_LIFETIME = timedelta(days=7)


class MediaRow(BaseModel, frozen=True):
    id: str
    filename: str
    content_type: str
    size_bytes: int
    object_key: str
    upload_id: str
    status: Literal["uploading", "probing", "ready", "failed"]
    error: str | None
    probe_json: str | None
    created_at: str

    @property
    def probe(self) -> ProbeInfo | None:
        return ProbeInfo.model_validate_json(self.probe_json) if self.probe_json else None

    def public(self, moment: datetime) -> Media:
        return Media(
            id=self.id,
            filename=self.filename,
            content_type=self.content_type,
            size_bytes=self.size_bytes,
            status=self.status_at(moment),
            error=self.error,
            probe=self.probe,
            created_at=self.created_at,
        )

    def status_at(self, moment: datetime) -> MediaStatus:
        if self.status == "uploading" and moment - parse_rfc3339(self.created_at) > UPLOAD_LIFETIME:
            return "expired"
        return self.status


def insert(db: sqlite3.Connection, row: MediaRow) -> None:
    db.execute(
        """INSERT INTO media VALUES (:id, :filename, :content_type, :size_bytes, :object_key, :upload_id, :status,
           :error, :probe_json, :created_at)""",
        row.model_dump(),
    )


def find(db: sqlite3.Connection, media_id: str) -> MediaRow | None:
    row = db.execute("SELECT * FROM media WHERE id = ?", (media_id,)).fetchone()
    return MediaRow.model_validate(dict(row)) if row else None


def find_all(db: sqlite3.Connection) -> list[Media]:
    moment = now()
    rows = db.execute("SELECT * FROM media ORDER BY created_at DESC, id").fetchall()
    return [MediaRow.model_validate(dict(row)).public(moment) for row in rows]


def find_probes(db: sqlite3.Connection) -> dict[str, ProbeInfo]:
    rows = db.execute("SELECT id, probe_json FROM media WHERE status = 'ready'")
    return {row["id"]: ProbeInfo.model_validate_json(row["probe_json"]) for row in rows}


def set_probing(db: sqlite3.Connection, media_id: str) -> None:
    db.execute("UPDATE media SET status = 'probing' WHERE id = ? AND status = 'uploading'", (media_id,))


def set_ready(db: sqlite3.Connection, media_id: str, probe: ProbeInfo) -> None:
    db.execute(
        "UPDATE media SET status = 'ready', error = NULL, probe_json = ? WHERE id = ? AND status = 'probing'",
        (probe.model_dump_json(), media_id),
    )


def set_failed(db: sqlite3.Connection, media_id: str, error: str) -> None:
    db.execute(
        "UPDATE media SET status = 'failed', error = ? WHERE id = ? AND status IN ('uploading', 'probing')",
        (error, media_id),
    )


def delete(db: sqlite3.Connection, media_id: str) -> bool:
    """False when a game, a clip or a project refers to the media."""
    try:
        db.execute("DELETE FROM media WHERE id = ?", (media_id,))
    except sqlite3.IntegrityError:
        return False
    return True


def remove_upload(db: sqlite3.Connection, media_id: str) -> None:
    """A game may refer to the media already: then it stays, as failed."""
    try:
        db.execute("DELETE FROM media WHERE id = ? AND status = 'uploading'", (media_id,))
    except sqlite3.IntegrityError:
        set_failed(db, media_id, "the upload was cancelled")
