"""Makes tracks of what a detector and a tracker said, frame by frame. Gaps stay gaps."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from gpu.track.detections import Detection
from gpu.track.tracks import Track, TrackedBox, TrackSegment


class Seen(NamedTuple):
    """The detections of one frame in display pixels, each with its track's number or None."""

    frame: int
    detections: list[Detection]
    numbers: list[int | None]


def build_tracks(frames: Iterable[Seen], out_frame: int, stride: int, fewest: int) -> tuple[Track, ...]:
    """Tracks in the order in which they begin, without those that were seen in less than `fewest` frames."""
    boxes: dict[int, list[TrackedBox]] = {}
    labels: dict[int, str] = {}
    for seen in frames:
        for detection, number in zip(seen.detections, seen.numbers, strict=True):
            if number is not None:
                labels.setdefault(number, detection.label)
                boxes.setdefault(number, []).append(_tracked(seen.frame, detection))
    return tuple(
        Track(id=number, label=labels[number], segments=tuple(_segments(found, out_frame, stride)), boxes=tuple(found))
        for number, found in boxes.items()
        if len(found) >= fewest
    )


def _tracked(frame: int, detection: Detection) -> TrackedBox:
    return TrackedBox(frame=frame, score=detection.score, **detection.box._asdict())


def _segments(boxes: list[TrackedBox], out_frame: int, stride: int) -> Iterator[TrackSegment]:
    start = boxes[0].frame
    for box, following in pairwise(boxes):
        end = box.frame + stride
        if following.frame > end:
            yield TrackSegment(state="tracked", in_frame=start, out_frame=end)
            yield TrackSegment(state="lost", in_frame=end, out_frame=following.frame)
            start = following.frame
    yield TrackSegment(state="tracked", in_frame=start, out_frame=min(boxes[-1].frame + stride, out_frame))
