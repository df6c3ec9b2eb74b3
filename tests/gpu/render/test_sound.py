"""Sound stays with the pictures, to the sample where that can be told."""

from pathlib import Path

import numpy as np
import pytest

from gpu.plan.render_plan import SoundRange
from gpu.plan.spec import EditSpec
from gpu.render.reader import Sound
from gpu.render.soundtrack import LARGEST_JITTER, Soundtrack
from gpu.sample.counter import StripLayout
from tests.gpu.render.rendering import render
from tests.gpu.render.videos import HEIGHT, RATE, WIDTH, read_lumas, read_sound, write_with_sound

SYNC_LIMIT_SECONDS = 0.025


def first_beep(path: Path) -> float:
    loud = np.flatnonzero(np.abs(read_sound(path)) > 0.1)
    return float(loud[0]) / 48_000


def first_flash(path: Path) -> float:
    block = StripLayout(WIDTH, HEIGHT).block
    bright = [luma[2 * block : 3 * block].mean() > 120 for luma in read_lumas(path)]
    return bright.index(True) / float(RATE)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "start"),
    [
        ("a.mp4", "aac", 48_000, "mono", 0),
        ("a.mp4", "aac", 48_000, "mono", 37),
        ("a.mp4", "aac", 44_100, "stereo", 0),
        ("a.mp4", "aac", 44_100, "stereo", 45),
        ("a.mkv", "libopus", 48_000, "stereo", 37),
        ("a.ts", "mp2", 48_000, "mono", 37),
    ],
)
def test_beep_and_flash_come_together(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str, start: int
) -> None:
    video = write_with_sound(tmp_path / name, 75, codec, rate, layout)
    result = render(video, EditSpec(in_frame=start, out_frame=75), tmp_path / "out.mp4")
    assert abs(first_beep(tmp_path / "out.mp4") - first_flash(tmp_path / "out.mp4")) <= SYNC_LIMIT_SECONDS
    assert result.audio_duration_ms == result.duration_ms


def test_one_channel_keeps_its_level(match: Path, tmp_path: Path) -> None:
    render(match, EditSpec(in_frame=0, out_frame=30), tmp_path / "out.mp4")
    assert np.abs(read_sound(tmp_path / "out.mp4")).max() == pytest.approx(0.4, abs=0.08)


def test_sound_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "short.mp4", 90, sound_seconds=1)
    result = render(video, EditSpec(in_frame=15, out_frame=90), tmp_path / "out.mp4")
    assert (result.duration_ms, result.audio_duration_ms) == (2500, 2500)
    sound = np.abs(read_sound(tmp_path / "out.mp4"))
    assert sound[:20_000].mean() > 0.001
    assert sound[30_000:].max() < 0.001


def chunk(position: int, values: list[int]) -> Sound:
    return Sound(position, np.array([values, values], np.float32))


def collect(track: Soundtrack, sounds: list[Sound]) -> list[int]:
    parts = [part for sound in sounds for part in track.add(sound)] + list(track.finish())
    return [int(value) for part in parts for value in part[0]]


def test_a_track_cuts_before_and_behind() -> None:
    track = Soundtrack(SoundRange(3, 4))
    assert collect(track, [chunk(0, [0, 1, 2, 3]), chunk(4, [4, 5, 6, 7, 8])]) == [3, 4, 5, 6]


def test_a_track_fills_what_is_missing_with_silence() -> None:
    track = Soundtrack(SoundRange(0, 6))
    assert collect(track, [chunk(2, [7, 8])]) == [0, 0, 7, 8, 0, 0]


def test_a_small_wander_of_timestamps_is_ignored_and_a_gap_is_not() -> None:
    gap = LARGEST_JITTER + 10
    wandering = Soundtrack(SoundRange(0, 4))
    assert collect(wandering, [chunk(0, [1, 2]), chunk(5, [3, 4])]) == [1, 2, 3, 4]
    jumping = Soundtrack(SoundRange(0, gap + 4))
    assert collect(jumping, [chunk(0, [1, 2]), chunk(gap + 2, [3, 4])]) == [1, 2, *[0] * gap, 3, 4]


def test_sound_that_comes_twice_is_taken_once() -> None:
    back = LARGEST_JITTER + 2
    track = Soundtrack(SoundRange(0, back + 2))
    first = list(range(back))
    assert collect(track, [chunk(0, first), chunk(0, first), chunk(back, [1, 2])]) == [*first, 1, 2]
