"""How an export moves from status to status. Each step refuses (SupersededError) a row that is not where it must be.

pending -> running -> rendered -> complete, or failed or cancelled; failed or cancelled -> pending by a retry.
`finalizing` is announced while the output is checked and is not worth a commit of its own.
"""

import sqlite3

from app.exports import effects, store
from app.exports.errors import (
    ExportActiveError,
    ExportInUseError,
    ExportNotCancellableError,
    ExportNotFoundError,
    ExportNotRetryableError,
    SupersededError,
)
from app.exports.schemas import FINAL
from app.exports.store import ExportRow
from app.reels import service as reels_service
from gpu.contract import MediaError, RenderProgress, RenderResult


def find(db: sqlite3.Connection, export_id: str) -> ExportRow:
    """Raises ExportNotFoundError."""
    row = store.find(db, export_id)
    if row is None:
        raise ExportNotFoundError(f"there is no export {export_id}")
    return row


def begin(db: sqlite3.Connection, seen: ExportRow, renderer: str) -> ExportRow:
    """Start the attempt; one that was running already becomes the next attempt, so that its progress may begin at 0."""
    row = _same(db, seen)
    if row.status == "pending":
        return store.change(db, row, status="running", renderer=renderer, call_id=None, phase="queued")
    if row.status != "running":
        raise SupersededError(row.id)
    return store.change(
        db,
        row,
        attempt=row.attempt + 1,
        restarts=row.restarts + 1,
        renderer=renderer,
        call_id=None,
        phase="queued",
        frames_done=0,
    )


def note_call(db: sqlite3.Connection, seen: ExportRow, call_id: str) -> ExportRow:
    return store.change(db, _same(db, seen, "running"), call_id=call_id)


def note_result(db: sqlite3.Connection, seen: ExportRow, result: RenderResult) -> ExportRow:
    row = _same(db, seen, "running")
    return store.change(
        db,
        row,
        status="rendered",
        result_json=result.model_dump_json(),
        phase="uploading",
        frames_done=result.frame_count,
        frames_total=max(row.frames_total, result.frame_count),
    )


def complete(db: sqlite3.Connection, seen: ExportRow, result: RenderResult) -> ExportRow:
    """Adds the reel in the same transaction."""
    row = _same(db, seen, "rendered")
    reel_id = reels_service.add(db, row.id, row.source, row.output_key, result)
    return store.change(db, row, status="complete", reel_id=reel_id)


def note_failure(
    db: sqlite3.Connection, seen: ExportRow, error: MediaError, progress: RenderProgress | None
) -> ExportRow:
    """The renderer's own answer: its call is over."""
    return _failed(db, _same(db, seen, "running"), error.code, error.message, progress)


def fail(
    db: sqlite3.Connection, seen: ExportRow, code: str, message: str, progress: RenderProgress | None
) -> ExportRow:
    """The server gives up; a call that may still run is ended."""
    row = _same(db, seen)
    _let_go(db, row)
    return _failed(db, row, code, message, progress)


def cancel(db: sqlite3.Connection, export_id: str, progress: RenderProgress | None) -> ExportRow:
    """The export is over and its call is ended; cancelling twice is fine.

    Raises ExportNotFoundError or ExportNotCancellableError.
    """
    row = find(db, export_id)
    if row.status == "cancelled":
        return row
    if row.status in FINAL:
        raise ExportNotCancellableError(f"export {export_id} is {row.status} already")
    _let_go(db, row)
    return store.change(db, row, status="cancelled", **_reached(row, progress))


def retry(db: sqlite3.Connection, export_id: str) -> ExportRow:
    """The next attempt from the same input; raises ExportNotFoundError or ExportNotRetryableError."""
    row = find(db, export_id)
    if row.status not in ("failed", "cancelled"):
        raise ExportNotRetryableError(f"export {export_id} is {row.status}; only failed or cancelled ones are retried")
    return store.change(
        db,
        row,
        status="pending",
        attempt=row.attempt + 1,
        restarts=0,
        renderer=None,
        call_id=None,
        result_json=None,
        phase="queued",
        frames_done=0,
        error_code=None,
        error_message=None,
    )


def delete(db: sqlite3.Connection, export_id: str) -> ExportRow:
    """Raises ExportNotFoundError, ExportActiveError or ExportInUseError."""
    row = find(db, export_id)
    if row.status not in FINAL:
        raise ExportActiveError(f"export {export_id} is {row.status}; cancel it first")
    if not store.delete(db, export_id):
        raise ExportInUseError(f"export {export_id} made reel {row.reel_id}; delete the reel first")
    return row


def _same(db: sqlite3.Connection, seen: ExportRow, status: str | None = None) -> ExportRow:
    """The row now, if it is still in the attempt that was seen and not over."""
    row = store.find(db, seen.id)
    if row is None or row.attempt != seen.attempt or row.status in FINAL or (status and row.status != status):
        raise SupersededError(seen.id)
    return row


def _let_go(db: sqlite3.Connection, row: ExportRow) -> None:
    if row.status == "running" and row.renderer and row.call_id:
        effects.end_call(db, row.renderer, row.call_id)


def _failed(
    db: sqlite3.Connection, row: ExportRow, code: str, message: str, progress: RenderProgress | None
) -> ExportRow:
    return store.change(db, row, status="failed", error_code=code, error_message=message, **_reached(row, progress))


def _reached(row: ExportRow, progress: RenderProgress | None) -> dict[str, str | int]:
    """How far the attempt came, for the record."""
    if progress is None:
        return {}
    return {"phase": progress.phase, "frames_done": max(row.frames_done, progress.frames_done)}
