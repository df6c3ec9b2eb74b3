"""Tracks as data: segments adjoin, boxes lie only where the track was seen."""

from typing import Any

import pytest
from pydantic import ValidationError

from gpu.track.build import Seen, build_tracks
from gpu.track.detections import Box, Detection
from gpu.track.tracks import Track, TrackedBox


def seen(frame: int, *numbers: int | None) -> Seen:
    detections = [Detection(Box(10.0 * place, frame, 5, 9), 0.5, "person") for place, _ in enumerate(numbers)]
    return Seen(frame, detections, list(numbers))


def spans(track: Track) -> list[tuple[str, int, int]]:
    return [(one.state, one.in_frame, one.out_frame) for one in track.segments]


def test_a_track_goes_from_the_first_frame_seen_to_the_last_with_its_gaps_marked() -> None:
    frames = [seen(4), seen(5, 7), seen(6, 7), seen(7, None), seen(8, 7), seen(9), seen(10)]
    (track,) = build_tracks(frames, 11, 1, 1)
    assert spans(track) == [("tracked", 5, 7), ("lost", 7, 8), ("tracked", 8, 9)]
    assert [(box.frame, box.y) for box in track.boxes] == [(5, 5), (6, 6), (8, 8)]


def test_with_a_stride_a_box_stands_for_the_frames_up_to_the_next_look() -> None:
    frames = [seen(2, 1), seen(5, 1), seen(8), seen(11, 1)]
    (track,) = build_tracks(frames, 13, 3, 1)
    assert spans(track) == [("tracked", 2, 8), ("lost", 8, 11), ("tracked", 11, 13)]


def test_tracks_that_were_hardly_seen_are_left_out() -> None:
    frames = [seen(0, 1, 2), seen(1, 1), seen(2, 1, 3), seen(3, 3)]
    assert [track.id for track in build_tracks(frames, 4, 1, 3)] == [1]
    assert [track.id for track in build_tracks(frames, 4, 1, 2)] == [1, 3]


BOX = {"x": 0, "y": 0, "width": 5, "height": 5, "score": 1}
TRACKED = {"state": "tracked", "in_frame": 0, "out_frame": 4}
LOST = {"state": "lost", "in_frame": 4, "out_frame": 6}
AGAIN = {"state": "tracked", "in_frame": 6, "out_frame": 8}


@pytest.mark.parametrize(
    ("segments", "frames"),
    [
        ([TRACKED, LOST, AGAIN], [0, 5]),
        ([TRACKED, LOST, AGAIN], [1, 0]),
        ([TRACKED, LOST, AGAIN], [1, 1]),
        ([TRACKED, LOST], [0]),
        ([LOST], [4]),
        ([TRACKED, AGAIN], [0]),
        ([TRACKED, {**LOST, "in_frame": 5}, AGAIN], [0]),
        ([TRACKED, {**LOST, "out_frame": 4}, {**AGAIN, "in_frame": 4}], [0]),
        ([], []),
        ([TRACKED], []),
    ],
    ids=["in gap", "backwards", "twice", "ends lost", "only lost", "no change", "hole", "empty", "nothing", "no boxes"],
)
def test_a_track_that_contradicts_itself_is_refused(segments: list[dict[str, Any]], frames: list[int]) -> None:
    good = {"id": 1, "label": "person", "segments": [TRACKED, LOST, AGAIN], "boxes": [{**BOX, "frame": 3}]}
    assert Track.model_validate(good).boxes == (TrackedBox(frame=3, x=0, y=0, width=5, height=5, score=1),)
    boxes = [{**BOX, "frame": frame} for frame in frames]
    with pytest.raises(ValidationError):
        Track.model_validate({**good, "segments": segments, "boxes": boxes})
