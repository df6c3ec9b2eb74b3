"""Sound stays with the pictures, to the sample where that can be told."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.render_plan import SoundRange
from gpu.plan.spec import ClipEdit, EditSpec, FrameRate, Retime
from gpu.render.produce import produce
from gpu.render.reader import Sound
from gpu.render.soundtrack import LARGEST_JITTER, Soundtrack
from gpu.render.sources import LocalSources
from gpu.sample.counter import StripLayout
from gpu.sample.writer import write_sample
from tests.gpu.render.rendering import render
from tests.gpu.render.videos import HEIGHT, RATE, WIDTH, read_lumas, read_sound, write_with_sound

SYNC_LIMIT_SECONDS = 0.025


def beeps(path: Path) -> npt.NDArray[np.float64]:
    """Seconds at which a beep starts."""
    loud = np.flatnonzero(np.abs(read_sound(path)) > 0.1)
    return loud[np.diff(loud, prepend=-48_000) > 2_000] / 48_000


def flashes(path: Path, rate: Fraction = RATE) -> npt.NDArray[np.float64]:
    """Seconds at which a flash starts."""
    block = StripLayout(WIDTH, HEIGHT).block
    bright = np.array([luma[2 * block : 3 * block].mean() > 120 for luma in read_lumas(path)])
    return np.flatnonzero(np.diff(bright, prepend=False) & bright) / float(rate)


def first_beep(path: Path) -> float:
    return float(beeps(path)[0])


def first_flash(path: Path) -> float:
    return float(flashes(path)[0])


def assert_together(path: Path, count: int, rate: Fraction = RATE) -> None:
    """Each of `count` flashes has its beep."""
    seen, heard = flashes(path, rate), beeps(path)
    assert (len(seen), len(heard)) == (count, count)
    assert np.abs(seen - heard).max() <= SYNC_LIMIT_SECONDS


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
    result = render(video, EditSpec.of_clip(in_frame=start, out_frame=75), tmp_path / "out.mp4")
    assert abs(first_beep(tmp_path / "out.mp4") - first_flash(tmp_path / "out.mp4")) <= SYNC_LIMIT_SECONDS
    assert result.audio_duration_ms == result.duration_ms


def retimed(percents: Sequence[int], frames: int, start: int = 0, source: int = 0) -> ClipEdit:
    """`frames` frames at each of the speeds."""
    count = len(percents) * frames
    retime = Retime(boundaries=tuple(range(0, count + 1, frames)), speeds_percent=tuple(percents))
    return ClipEdit(source=source, in_frame=start, out_frame=start + count, retime=retime)


@pytest.mark.parametrize("percent", [25, 40, 50, 75, 120, 150, 250, 300, 400])
def test_beep_and_flash_come_together_at_every_speed(match: Path, tmp_path: Path, percent: int) -> None:
    """Where every flash begins with a frame of the result, so that pictures round nothing."""
    whole = percent % 400 == 0
    clips = (retimed([percent], 60 if percent < 100 else 120, 0),)
    spec = EditSpec(clips=clips, rate=FrameRate(num=60) if whole else None)
    result = produce(LocalSources([match]), "framing", spec, tmp_path / "out.mp4", lambda progress: None)
    assert_together(tmp_path / "out.mp4", 2 if percent < 100 else 4, Fraction(60) if whole else RATE)
    assert result.audio_duration_ms == result.duration_ms


@pytest.mark.parametrize(
    ("percent", "start", "frames"), [(31, 15, 93), (33, 15, 99), (60, 10, 90), (80, 5, 100), (90, 5, 90)]
)
def test_beep_and_flash_come_together_where_flashes_begin_within_a_frame_of_the_result(
    match: Path, tmp_path: Path, percent: int, start: int, frames: int
) -> None:
    """Pictures are at most half a frame of the result from their moment, and sound 25 ms from its picture all the same.

    The retimed length is a whole number of frames, so that no end is rounded. Flashes are 30 frames apart.
    """
    spec = EditSpec(clips=(retimed([percent], frames, start),))
    result = produce(LocalSources([match]), "framing", spec, tmp_path / "out.mp4", lambda progress: None)
    half_frame = float(1 / RATE / 2)
    due = np.arange(30 - start, frames, 30) * 100 / percent / float(RATE)
    seen, heard = flashes(tmp_path / "out.mp4"), beeps(tmp_path / "out.mp4")
    assert (len(seen), len(heard), result.frame_count) == (len(due), len(due), frames * 100 // percent)
    assert np.abs(seen - due).max() <= half_frame
    assert np.abs(heard - seen).max() <= SYNC_LIMIT_SECONDS


def test_twenty_speeds_after_each_other_do_not_drift(tmp_path: Path) -> None:
    """Every second one begins with a flash, and every one is a whole number of frames of the result."""
    write_sample(tmp_path / "in.mp4", 10, width=WIDTH, height=HEIGHT)
    percents = [100, 25, 300, 60, 250, 50, 125, 75, 100, 150, 60, 300, 25, 250, 75, 125, 50, 100, 300, 150]
    spec = EditSpec(clips=(retimed(percents, 15),))
    result = render(tmp_path / "in.mp4", spec, tmp_path / "out.mp4")
    assert result.frame_count == sum(15 * 100 // percent for percent in percents)
    assert_together(tmp_path / "out.mp4", 10)
    assert result.audio_duration_ms == result.duration_ms


def test_beep_and_flash_come_together_in_clips_of_several_sources(match: Path, tmp_path: Path) -> None:
    other = write_with_sound(tmp_path / "other.mkv", 90, "libopus", 48_000, "stereo")
    third = write_with_sound(tmp_path / "third.mp4", 90, "aac", 44_100)
    clips = (
        retimed([100], 45, 15),
        retimed([50, 150], 15, 30, source=1),
        retimed([250], 60, 0, source=2),
        retimed([75, 100], 15, 60),
    )
    sources = LocalSources([match, other, third])
    result = produce(sources, "framing", EditSpec(clips=clips), tmp_path / "out.mp4", lambda progress: None)
    assert_together(tmp_path / "out.mp4", 5)
    assert result.audio_duration_ms == result.duration_ms


def test_one_channel_keeps_its_level(match: Path, tmp_path: Path) -> None:
    render(match, EditSpec.of_clip(in_frame=0, out_frame=30), tmp_path / "out.mp4")
    assert np.abs(read_sound(tmp_path / "out.mp4")).max() == pytest.approx(0.4, abs=0.08)


def test_sound_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "short.mp4", 90, sound_seconds=1)
    result = render(video, EditSpec.of_clip(in_frame=15, out_frame=90), tmp_path / "out.mp4")
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
