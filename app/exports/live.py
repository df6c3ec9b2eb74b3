"""Progress of the exports that this process renders: in memory, monotonic within an attempt, gone at a restart."""

from typing import NamedTuple

from app.exports.schemas import ExportMessage, message_for
from app.exports.store import ExportRow
from app.kit.owner import Owner
from app.progress.hub import ProgressHub
from gpu.contract import RenderProgress


class _Reached(NamedTuple):
    attempt: int
    progress: RenderProgress


class LiveExports:
    """The hub, and the latest progress of each export under way."""

    def __init__(self) -> None:
        self.hub: ProgressHub[ExportMessage] = ProgressHub()
        self._reached: dict[str, _Reached] = {}

    def of(self, row: ExportRow) -> RenderProgress | None:
        reached = self._reached.get(row.id)
        return reached.progress if reached and reached.attempt == row.attempt else None

    def advance(self, owner: Owner, row: ExportRow, progress: RenderProgress) -> None:
        """Tell listeners; counts that fall back are held at what was reached."""
        before = self.of(row)
        if before is not None:
            progress = progress.model_copy(
                update={
                    "frames_done": max(before.frames_done, progress.frames_done),
                    "frames_total": max(before.frames_total, progress.frames_total),
                }
            )
        self._reached[row.id] = _Reached(row.attempt, progress)
        self.announce(owner, row)

    def announce(self, owner: Owner, row: ExportRow) -> None:
        """Tell listeners where the row is now."""
        message = message_for(row.public(self.of(row)))
        self.hub.publish((owner, row.id), message)
        if message.is_final:
            self._reached.pop(row.id, None)
