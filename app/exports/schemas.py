"""Bodies of `/api/exports` and messages of `/ws/export/{id}`."""

from typing import Annotated, Literal, Self

from pydantic import Field

from app.kit.schema import Request, Response
from app.progress.message import Message, MessageType
from gpu.contract import Phase, RenderKind

ExportStatus = Literal["pending", "running", "rendered", "finalizing", "complete", "failed", "cancelled"]
FINAL: frozenset[ExportStatus] = frozenset({"complete", "failed", "cancelled"})
_ORDER: tuple[ExportStatus, ...] = ("pending", "running", "rendered", "finalizing", "complete", "failed", "cancelled")


class NewFramingExport(Request):
    kind: Literal["framing"]
    project_id: str


class NewExtractExport(Request):
    kind: Literal["extract"]
    clip_id: str


NewExport = Annotated[NewFramingExport | NewExtractExport, Field(discriminator="kind")]


class ExportError(Response):
    """`message` is for the user."""

    code: str
    message: str


class ExportJob(Response):
    """Frames never decrease within one attempt; 100 percent means complete."""

    id: str
    kind: RenderKind
    status: ExportStatus
    attempt: int
    phase: Phase
    frames_done: int
    frames_total: int
    progress_percent: int
    reel_id: str | None
    error: ExportError | None
    created_at: str
    updated_at: str


class ExportList(Response):
    items: list[ExportJob]


class ExportMessage(Message, frozen=True):
    export: ExportJob

    def follows(self, earlier: Self) -> bool:
        """Later in the life of the export; the same moment counts only for a message of another type."""
        mine, theirs = _moment(self.export), _moment(earlier.export)
        return mine > theirs or (mine == theirs and self.is_final and not earlier.is_final)


def message_for(job: ExportJob) -> ExportMessage:
    """The message that announces the job as it is now."""
    kind: MessageType = "progress"
    if job.status in ("complete", "failed", "cancelled"):
        kind = job.status
    return ExportMessage(type=kind, export=job)


def _moment(job: ExportJob) -> tuple[int, int, int]:
    return job.attempt, _ORDER.index(job.status), job.frames_done
