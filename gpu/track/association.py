"""The reference tracker: two-stage association by overlap, after ByteTrack (Zhang et al., ECCV 2022, section 3).

Sure detections are matched to the tracks first, doubtful ones to those that are left; only sure ones begin a track.
In place of its Kalman filter a track moves on at its own mean speed, and pairs are taken by falling overlap instead of
by the best sum. The predicted place serves to match and is never handed out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpu.track.detections import Box, Detection, overlaps

SURE_SCORE = 0.5
DOUBTFUL_SCORE = 0.1
LEAST_OVERLAP = 0.1
PATIENCE_SECONDS = 1.0
"""For which a track that is not seen can be found again, about where it would have got to."""
_INERTIA = 0.5
"""Part of the earlier speed in the new one; the rest is the step that was seen last."""


@dataclass
class _Live:
    """A track that may go on. `speed` is in pixels a picture, `unseen` counts the pictures since `box`."""

    number: int
    label: str
    box: Box
    speed: tuple[float, float] = (0.0, 0.0)
    seen: int = 1
    unseen: int = 0

    @property
    def predicted(self) -> Box:
        steps = self.unseen + 1
        return self.box.moved(self.speed[0] * steps, self.speed[1] * steps)

    def extend(self, box: Box) -> None:
        inertia = _INERTIA if self.seen > 1 else 0.0
        steps = self.unseen + 1
        x, y = (
            inertia * speed + (1 - inertia) * (new - old) / steps
            for speed, new, old in zip(self.speed, box.centre, self.box.centre, strict=True)
        )
        self.box, self.speed, self.seen, self.unseen = box, (x, y), self.seen + 1, 0


class OverlapTracker:
    """A tracker for `rate` pictures a second; things of different labels are never one track."""

    name = "overlap-1"

    def __init__(self, rate: float) -> None:
        self._patience = max(1, round(PATIENCE_SECONDS * rate))
        self._live: list[_Live] = []
        self._made = 0

    def update(self, detections: Sequence[Detection]) -> list[int | None]:
        sure = [index for index, one in enumerate(detections) if one.score >= SURE_SCORE]
        doubtful = [index for index, one in enumerate(detections) if DOUBTFUL_SCORE <= one.score < SURE_SCORE]
        matched = self._match(self._live, detections, sure)
        left = [track for track in self._live if track not in matched.values()]
        matched |= self._match(left, detections, doubtful)
        missed = [track for track in self._live if track not in matched.values()]
        for index, track in matched.items():
            track.extend(detections[index].box)
        for track in missed:
            track.unseen += 1
        self._live = [track for track in self._live if track.unseen <= self._patience]
        for index in sure:
            if index not in matched:
                matched[index] = self._begin(detections[index])
        return [matched[index].number if index in matched else None for index in range(len(detections))]

    def _match(
        self, tracks: Sequence[_Live], detections: Sequence[Detection], indices: Sequence[int]
    ) -> dict[int, _Live]:
        """Pairs by falling overlap; of equal ones the older track and the earlier detection come first."""
        overlap = overlaps([track.predicted for track in tracks], [detections[index].box for index in indices])
        pairs: dict[int, _Live] = {}
        taken: set[int] = set()
        for flat in np.argsort(-overlap, axis=None, kind="stable"):
            row, column = divmod(int(flat), len(indices))
            if overlap[row, column] < LEAST_OVERLAP:
                break
            track, index = tracks[row], indices[column]
            if track.label == detections[index].label and track.number not in taken and index not in pairs:
                pairs[index] = track
                taken.add(track.number)
        return pairs

    def _begin(self, detection: Detection) -> _Live:
        self._made += 1
        track = _Live(self._made, detection.label, detection.box)
        self._live.append(track)
        return track
