"""ByteTrack as the `trackers` package (Apache-2.0) has it: a Kalman filter and the best sum of overlaps.

It knows no labels, so each has a ByteTrack of its own. The first box of a track is not part of it: the package gives a
track its number with its second.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from gpu.track.association import LEAST_OVERLAP, PATIENCE_SECONDS, SURE_SCORE
from gpu.track.detections import Detection
from gpu.weights.libraries import library

_PACKAGE_RATE = 30
"""The package counts its patience in pictures of 30 a second, whatever the rate is."""


class ByteTracker:
    """A tracker for `rate` pictures a second; raises MediaFailure `internal` where the package is missing."""

    def __init__(self, rate: float) -> None:
        self._trackers = library("trackers", "following players with ByteTrack")
        self._supervision = library("supervision", "following players with ByteTrack")
        self._rate = rate
        self._by_label: dict[str, Any] = {}
        self._numbers: dict[tuple[str, int], int] = {}

    @property
    def name(self) -> str:
        return f"bytetrack-trackers-{version('trackers')}"

    def update(self, detections: Sequence[Detection]) -> list[int | None]:
        numbers: list[int | None] = [None] * len(detections)
        for label in sorted({*self._by_label, *(one.label for one in detections)}):
            indices = [index for index, one in enumerate(detections) if one.label == label]
            for index, number in self._updated(label, [detections[index] for index in indices]):
                key = label, number
                numbers[indices[index]] = self._numbers.setdefault(key, len(self._numbers) + 1)
        return numbers

    def _updated(self, label: str, detections: list[Detection]) -> list[tuple[int, int]]:
        """Pairs of a detection's index and the number that the package gave it."""
        if label not in self._by_label:
            self._by_label[label] = self._trackers.ByteTrackTracker(
                lost_track_buffer=round(PATIENCE_SECONDS * _PACKAGE_RATE),
                frame_rate=self._rate,
                track_activation_threshold=SURE_SCORE,
                high_conf_det_threshold=SURE_SCORE,
                minimum_iou_threshold=LEAST_OVERLAP,
            )
        boxes = np.array([one.box for one in detections], np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        given = self._supervision.Detections(
            xyxy=boxes,
            confidence=np.array([one.score for one in detections], np.float64),
            class_id=np.zeros(len(detections), int),
            data={"index": np.arange(len(detections))},
        )
        result = self._by_label[label].update(given)
        if not len(result):
            return []
        pairs = zip(result.data["index"].tolist(), result.tracker_id.tolist(), strict=True)
        return [(index, number) for index, number in pairs if number >= 0]
