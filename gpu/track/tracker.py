"""The port of trackers: which of the boxes of successive pictures are the same player."""

from collections.abc import Callable, Sequence
from typing import Protocol

from gpu.track.detections import Detection


class Tracker(Protocol):
    """Sees the pictures of one range once and in order; a new range needs a new tracker."""

    @property
    def name(self) -> str: ...

    def update(self, detections: Sequence[Detection]) -> list[int | None]:
        """The track of each detection of the next picture, in their order; None for one that is in no track.

        A track's number is never used for another, and no two detections of a picture are in one track.
        """
        ...


NewTracker = Callable[[float], Tracker]
"""Makes a tracker for so many pictures a second."""
