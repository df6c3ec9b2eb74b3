"""The exports table."""

import sqlite3
from typing import Any

from pydantic import BaseModel

from app.exports.schemas import ExportError, ExportJob, ExportStatus
from app.kit.clock import now, rfc3339
from app.kit.recipe import Recipe, RenderSource
from gpu.contract import Phase, RenderKind, RenderProgress, RenderResult


class ExportRow(BaseModel, frozen=True):
    """`recipe_json` is the immutable input; `call_id` belongs to the renderer named `renderer`."""

    id: str
    kind: RenderKind
    project_id: str | None
    clip_id: str | None
    recipe_json: str
    recipe_sha256: str
    source_key: str
    output_key: str
    title: str
    status: ExportStatus
    attempt: int
    restarts: int
    renderer: str | None
    call_id: str | None
    result_json: str | None
    phase: Phase
    frames_done: int
    frames_total: int
    reel_id: str | None
    error_code: str | None
    error_message: str | None
    created_at: str
    updated_at: str

    @property
    def source(self) -> RenderSource:
        recipe = Recipe.model_validate_json(self.recipe_json)
        return RenderSource(recipe=recipe, title=self.title, project_id=self.project_id, clip_id=self.clip_id)

    @property
    def result(self) -> RenderResult | None:
        return RenderResult.model_validate_json(self.result_json) if self.result_json else None

    @property
    def progress_key(self) -> str:
        return f"{self.id}-{self.attempt}"

    def public(self, live: RenderProgress | None) -> ExportJob:
        """`live` is later progress of the same attempt than the row has."""
        progress = live if live and self.status in ("running", "rendered", "finalizing") else None
        done = max(progress.frames_done, self.frames_done) if progress else self.frames_done
        total = max(progress.frames_total, self.frames_total) if progress else self.frames_total
        percent = 100 if self.status == "complete" else min(99, 100 * done // max(1, total))
        return ExportJob(
            id=self.id,
            kind=self.kind,
            status=self.status,
            attempt=self.attempt,
            phase=progress.phase if progress else self.phase,
            frames_done=done,
            frames_total=total,
            progress_percent=percent,
            reel_id=self.reel_id,
            error=ExportError(code=self.error_code, message=self.error_message or "") if self.error_code else None,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


def insert(db: sqlite3.Connection, row: ExportRow) -> None:
    db.execute(
        """INSERT INTO exports (id, kind, project_id, clip_id, recipe_json, recipe_sha256, source_key, output_key,
           title, status, attempt, restarts, renderer, call_id, result_json, phase, frames_done, frames_total, reel_id,
           error_code, error_message, created_at, updated_at)
           VALUES (:id, :kind, :project_id, :clip_id, :recipe_json, :recipe_sha256, :source_key, :output_key, :title,
           :status, :attempt, :restarts, :renderer, :call_id, :result_json, :phase, :frames_done, :frames_total,
           :reel_id, :error_code, :error_message, :created_at, :updated_at)""",
        row.model_dump(),
    )


def change(db: sqlite3.Connection, row: ExportRow, **values: Any) -> ExportRow:  # noqa: ANN401 -- columns of any type
    """Write the row with these columns changed; the input columns never are."""
    changed = row.model_copy(update={**values, "updated_at": rfc3339(now())})
    db.execute(
        """UPDATE exports SET status = :status, attempt = :attempt, restarts = :restarts, renderer = :renderer,
           call_id = :call_id, result_json = :result_json, phase = :phase, frames_done = :frames_done,
           frames_total = :frames_total, reel_id = :reel_id, error_code = :error_code,
           error_message = :error_message, updated_at = :updated_at WHERE id = :id""",
        changed.model_dump(),
    )
    return changed


def delete(db: sqlite3.Connection, export_id: str) -> bool:
    """False while a reel refers to the export."""
    try:
        db.execute("DELETE FROM exports WHERE id = ?", (export_id,))
    except sqlite3.IntegrityError:
        return False
    return True


def find_incomplete_of(db: sqlite3.Connection, source_key: str) -> str | None:
    """The id of an export that may still read this object: failed and cancelled ones can be retried."""
    row = db.execute("SELECT id FROM exports WHERE source_key = ? AND status != 'complete'", (source_key,)).fetchone()
    return str(row["id"]) if row else None


def find(db: sqlite3.Connection, export_id: str) -> ExportRow | None:
    row = db.execute("SELECT * FROM exports WHERE id = ?", (export_id,)).fetchone()
    return ExportRow.model_validate(dict(row)) if row else None


def find_all(db: sqlite3.Connection) -> list[ExportRow]:
    rows = db.execute("SELECT * FROM exports ORDER BY created_at DESC, id")
    return [ExportRow.model_validate(dict(row)) for row in rows]
