"""From a recording to tracks: exact frames, display pixels, and gaps that stay gaps."""

import io
import threading
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from gpu.render.errors import MediaFailure
from gpu.track import follow as room
from gpu.track.association import OverlapTracker
from gpu.track.detections import Box, Detection, RgbBatch
from gpu.track.follow import Search, follow
from gpu.track.tracks import Track, TrackResult
from tests.gpu.track.videos import SIZE, Shirts, shirt_detector, write_shirts

NEAR = 2.0
"""Pixels by which chroma at half the size and the codec may move an edge."""


def two_shirts(number: int) -> Mapping[str, Box]:
    """One goes right by 3 pixels a frame, one left by 2: every frame has its own places."""
    return {"red": Box(10 + 3 * number, 40, 20, 34), "blue": Box(280 - 2 * number, 110, 24, 40)}


def hidden_for(start: int, end: int) -> Shirts:
    """The red one is not seen in frames [start, end)."""
    return lambda number: {
        colour: box for colour, box in two_shirts(number).items() if colour == "blue" or not start <= number < end
    }


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shirts(tmp_path_factory.mktemp("track") / "match.mp4", 60, two_shirts)


def followed(path: Path, search: Search) -> TrackResult:
    with path.open("rb") as file:
        return follow(file, search, shirt_detector(), OverlapTracker)


def track_of(result: TrackResult, label: str) -> Track:
    (track,) = [track for track in result.tracks if track.label == label]
    return track


def assert_places(track: Track, shirts: Shirts, near: float = NEAR) -> None:
    for box in track.boxes:
        drawn = shirts(box.frame)[track.label]
        assert (box.x, box.y, box.width, box.height) == pytest.approx(drawn, abs=near), f"frame {box.frame}"


@pytest.mark.parametrize(("start", "end"), [(0, 60), (7, 31), (45, 60)])
def test_every_frame_of_the_range_has_the_boxes_that_are_in_it(match: Path, start: int, end: int) -> None:
    result = followed(match, Search(start, end))
    assert (result.width, result.height, result.fps_num, result.fps_den) == (*SIZE, 30, 1)
    assert (result.in_frame, result.out_frame, result.stride) == (start, end, 1)
    assert (result.detector, result.tracker) == ("colour-blob-1", "overlap-1")
    for label in ("red", "blue"):
        track = track_of(result, label)
        assert [box.frame for box in track.boxes] == list(range(start, end))
        assert [(one.state, one.in_frame, one.out_frame) for one in track.segments] == [("tracked", start, end)]
        assert_places(track, two_shirts)
    assert TrackResult.model_validate_json(result.model_dump_json()) == result


def test_a_player_who_is_hidden_is_lost_and_nothing_is_put_into_the_gap(tmp_path: Path) -> None:
    shirts = hidden_for(20, 32)
    result = followed(write_shirts(tmp_path / "hidden.mp4", 60, shirts), Search(0, 60))
    red = track_of(result, "red")
    assert [(one.state, one.in_frame, one.out_frame) for one in red.segments] == [
        ("tracked", 0, 20),
        ("lost", 20, 32),
        ("tracked", 32, 60),
    ]
    assert [box.frame for box in red.boxes] == [*range(20), *range(32, 60)]
    assert_places(red, shirts)


def test_a_player_who_comes_back_after_the_patience_is_another_track(tmp_path: Path) -> None:
    result = followed(write_shirts(tmp_path / "long.mp4", 70, hidden_for(20, 55)), Search(0, 70))
    reds = [track for track in result.tracks if track.label == "red"]
    assert [(one.segments[0].in_frame, one.segments[-1].out_frame) for one in reds] == [(0, 20), (55, 70)]
    assert all(len(one.segments) == 1 for one in reds)


def test_with_a_stride_only_the_frames_that_were_looked_at_have_boxes(match: Path) -> None:
    result = followed(match, Search(5, 57, stride=4))
    assert result.stride == 4
    for label in ("red", "blue"):
        track = track_of(result, label)
        assert [box.frame for box in track.boxes] == list(range(5, 57, 4))
        assert [(one.in_frame, one.out_frame) for one in track.segments] == [(5, 57)]
        assert_places(track, two_shirts)


def test_the_patience_is_a_second_whatever_the_stride(tmp_path: Path) -> None:
    video = write_shirts(tmp_path / "long.mp4", 80, hidden_for(20, 56))
    result = followed(video, Search(0, 80, stride=2))
    assert [one.label for one in result.tracks] == ["red", "blue", "red"]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_are_in_display_pixels_of_the_source_whatever_detectors_see(tmp_path: Path, rotation: int) -> None:
    pixel_shape = {0: Fraction(4, 3), 90: Fraction(9, 8)}.get(rotation, Fraction(1))
    size = (312, 180)
    video = write_shirts(tmp_path / "turned.mp4", 12, two_shirts, size=size, rotation=rotation, pixel_shape=pixel_shape)
    result = followed(video, Search(0, 12, largest_side=200))
    assert (result.width, result.height) == size
    for label in ("red", "blue"):
        assert_places(track_of(result, label), two_shirts, near=4)


def test_detectors_see_upright_pictures_of_the_largest_side_in_batches_of_their_size(
    match: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, ...]] = []
    turned = write_shirts(tmp_path / "turned.mp4", 12, two_shirts, rotation=90)

    class Blind:
        name, batch_size = "blind", 5

        def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
            seen.append(pictures.shape)
            return [[] for _ in pictures]

    done: list[int] = []
    for video in (match, turned):
        seen.clear()
        done.clear()
        with video.open("rb") as file:
            result = follow(file, Search(0, 12, largest_side=160), Blind(), OverlapTracker, done.append)
        assert seen == [(5, 90, 160, 3), (5, 90, 160, 3), (2, 90, 160, 3)]
        assert done == list(range(1, 13))
        assert result.tracks == ()


def test_only_the_surest_detections_of_a_crowd_are_kept(match: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crowd:
        name, batch_size = "crowd", 8

        def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
            rows = [Detection(Box(20.0 * row, 10, 10, 10), 0.6 + row / 100, "person") for row in range(8)]
            return [rows for _ in pictures]

    monkeypatch.setattr(room, "MOST_DETECTIONS", 3)
    with match.open("rb") as file:
        result = follow(file, Search(0, 4), Crowd(), OverlapTracker)
    assert sorted(track.boxes[0].x for track in result.tracks) == [100, 120, 140]


@pytest.mark.parametrize(
    ("in_frame", "out_frame", "stride", "message"),
    [
        (0, 61, 1, "frame 61 is after the video's end, frame 60"),
        (7, 7, 1, "not after"),
        (-1, 7, 1, "not after"),
        (0, 7, 0, "a stride of 0"),
        (0, 36_001, 1, "36001 frames to look at are more than 36000"),
    ],
)
def test_a_range_that_cannot_be_searched_is_refused(
    match: Path, in_frame: int, out_frame: int, stride: int, message: str
) -> None:
    with pytest.raises(MediaFailure, match=message) as caught:
        followed(match, Search(in_frame, out_frame, stride))
    assert caught.value.code == "bad_spec"


def test_what_is_no_video_is_an_answer() -> None:
    with pytest.raises(MediaFailure) as caught:
        follow(io.BytesIO(b"no video" * 100), Search(0, 5), shirt_detector(), OverlapTracker)
    assert caught.value.code == "not_a_video"


def test_a_detector_that_fails_ends_the_reading(match: Path) -> None:
    class Failing:
        name, batch_size = "failing", 1

        def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
            raise ZeroDivisionError

    before = set(threading.enumerate())
    with match.open("rb") as file, pytest.raises(ZeroDivisionError):
        follow(file, Search(0, 60), Failing(), OverlapTracker)
    assert not set(threading.enumerate()) - before
