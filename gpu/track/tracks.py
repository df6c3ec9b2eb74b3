"""Tracks as data. Pydantic only, so that a contract may hold them.

Only looked-at frames have boxes: with a stride of n each of them stands for the n frames from it on. Where a track was
not seen for a while it is `lost` for those frames; nothing is put into the gap. A track begins with the first frame in
which it was seen and ends with the last.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gpu.plan.spec import Answered

TrackState = Literal["tracked", "lost"]
"""A person may also confirm a track, which is the backend's knowledge."""


class TrackedBox(Answered):
    """Where the track was seen at one frame, in display pixels of the source."""

    frame: Annotated[int, Field(ge=0)]
    x: float
    y: float
    width: Annotated[float, Field(gt=0)]
    height: Annotated[float, Field(gt=0)]
    score: Annotated[float, Field(ge=0, le=1)]


class TrackSegment(Answered):
    """Frames [in_frame, out_frame) of the source in which the track was seen, or was not."""

    state: TrackState
    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]


class Track(Answered):
    """One player. Segments adjoin, change their state and begin and end tracked; boxes lie in tracked ones only."""

    id: Annotated[int, Field(gt=0)]
    label: str
    segments: Annotated[tuple[TrackSegment, ...], Field(min_length=1)]
    boxes: Annotated[tuple[TrackedBox, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> "Track":
        for number, segment in enumerate(self.segments):
            if segment.out_frame <= segment.in_frame or segment.state != ("tracked", "lost")[number % 2]:
                raise ValueError(f"segment {number} is {segment.state} [{segment.in_frame}, {segment.out_frame})")
        if len(self.segments) % 2 == 0 or any(one.out_frame != next.in_frame for one, next in pairwise(self.segments)):
            raise ValueError("the segments do not adjoin from the first frame seen to the last")
        frames = [box.frame for box in self.boxes]
        seen = self.segments[::2]
        if frames != sorted(set(frames)) or not all(any(s.in_frame <= f < s.out_frame for s in seen) for f in frames):
            raise ValueError("the boxes do not increase, or lie where the track was lost")
        return self


class TrackResult(Answered):
    """Every track in frames [in_frame, out_frame), of which every `stride`-th was looked at, beginning with the first.

    `detector` and `tracker` name what found them; `width` and `height` are the source's, after display rotation.
    """

    fps_num: Annotated[int, Field(gt=0)]
    fps_den: Annotated[int, Field(gt=0)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]
    stride: Annotated[int, Field(ge=1)]
    detector: str
    tracker: str
    tracks: tuple[Track, ...]
