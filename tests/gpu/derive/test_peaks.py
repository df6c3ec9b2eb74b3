"""Peaks are those of the sound, in place, and as many as the pictures are long."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gpu.derive.facts import PeaksFacts
from gpu.derive.peaks import BUCKET, Buckets, write_peaks
from tests.gpu.derive.sources import read_peaks, write_keyed, write_sounding
from tests.gpu.render.videos import write_with_sound

SECOND = 48_000


def peaks(video: Path, out: Path) -> PeaksFacts:
    with video.open("rb") as file:
        return write_peaks(file, out)


def silence(seconds: float, channels: int = 1) -> npt.NDArray[np.float64]:
    return np.zeros((channels, round(seconds * SECOND)))


def loud(levels: list[int]) -> list[int]:
    return np.flatnonzero(np.array(levels)).tolist()


def test_the_header_is_that_of_version_2(tmp_path: Path) -> None:
    facts = peaks(write_sounding(tmp_path / "a.mov", 30, silence(1)), tmp_path / "a.dat")
    read = read_peaks(tmp_path / "a.dat")
    assert read[:6] == (2, 1, 48_000, 480, 100, 1)
    assert (facts.sample_rate, facts.samples_per_bucket, facts.bucket_count) == (48_000, 480, 100)
    assert (facts.size_bytes, facts.has_sound) == (24 + 200, True)


def test_a_sine_has_its_amplitude_everywhere(tmp_path: Path) -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(SECOND) / SECOND)
    peaks(write_sounding(tmp_path / "a.mov", 30, sine[None, :]), tmp_path / "a.dat")
    read = read_peaks(tmp_path / "a.dat")
    assert set(read.lowest) <= {-64, -63}
    assert set(read.highest) <= {63, 64}


@pytest.mark.parametrize("channel", [0, 1])
def test_one_sample_of_one_channel_is_seen_in_its_bucket(tmp_path: Path, channel: int) -> None:
    samples = silence(2, 2)
    samples[channel, [12_345, 480 * 100 - 1, 480 * 150]] = [1, -0.5, 0.25]
    peaks(write_sounding(tmp_path / "a.mov", 60, samples), tmp_path / "a.dat")
    read = read_peaks(tmp_path / "a.dat")
    assert (loud(read.lowest), loud(read.highest)) == ([99], [25, 150])
    assert (read.highest[25], read.lowest[99], read.highest[150]) == (127, -64, 32)


def test_a_whistle_is_seen_whatever_its_pitch(tmp_path: Path) -> None:
    whistle = 0.8 * np.sin(2 * np.pi * 9000 * np.arange(SECOND) / SECOND)
    peaks(write_sounding(tmp_path / "a.mov", 30, whistle[None, :]), tmp_path / "a.dat")
    assert min(read_peaks(tmp_path / "a.dat").highest) >= 98


def test_a_source_without_sound_is_silent(tmp_path: Path) -> None:
    facts = peaks(write_keyed(tmp_path / "a.mp4", 45, {0}), tmp_path / "a.dat")
    read = read_peaks(tmp_path / "a.dat")
    assert not facts.has_sound
    assert (read.length, read.lowest, read.highest) == (150, [0] * 150, [0] * 150)


@pytest.mark.parametrize("seconds", [0.5, 5])
def test_sound_is_cut_or_filled_to_the_length_of_the_pictures(tmp_path: Path, seconds: float) -> None:
    peaks(write_sounding(tmp_path / "a.mov", 60, silence(seconds) + 0.5), tmp_path / "a.dat")
    read = read_peaks(tmp_path / "a.dat")
    assert (read.length, len(read.highest), len(read.lowest)) == (200, 200, 200)
    assert loud(read.highest) == list(range(50 if seconds < 1 else 200))


@pytest.mark.parametrize(
    ("rate", "frame_count", "buckets"),
    [(Fraction(30000, 1001), 89, 297), (Fraction(30), 31, 104), (Fraction(25), 25, 100), (Fraction(50), 1, 2)],
)
def test_there_are_as_many_buckets_as_the_duration_needs(
    tmp_path: Path, rate: Fraction, frame_count: int, buckets: int
) -> None:
    facts = peaks(write_sounding(tmp_path / "a.mov", frame_count, silence(4) + 1, rate), tmp_path / "a.dat")
    assert facts.bucket_count == buckets == -(-frame_count * 100 // rate)
    assert read_peaks(tmp_path / "a.dat").highest == [127] * buckets


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.mp4", "aac", 44_100), ("a.mkv", "libopus", 48_000), ("a.ts", "mp2", 48_000)]
)
def test_beeps_are_where_they_sound(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    peaks(write_with_sound(tmp_path / name, 75, codec, rate), tmp_path / "a.dat")
    highest = np.array(read_peaks(tmp_path / "a.dat").highest)
    assert highest[102:108].min() >= 40
    assert highest[20:97].max() <= 8
    assert highest[115:197].max() <= 8
    assert highest[202:208].min() >= 40


def test_sound_is_placed_from_the_first_picture_on(tmp_path: Path) -> None:
    samples = silence(2)
    samples[0, 4800] = 1
    peaks(write_sounding(tmp_path / "a.mkv", 60, samples, start=3), tmp_path / "a.dat")
    assert loud(read_peaks(tmp_path / "a.dat").highest) == [10]


def test_six_channels_are_mixed_without_going_above_full_level(tmp_path: Path) -> None:
    peaks(write_sounding(tmp_path / "a.mov", 30, silence(1, 6) + 0.5), tmp_path / "a.dat")
    assert set(read_peaks(tmp_path / "a.dat").highest) <= {63, 64}


def test_another_sample_rate_is_kept_to_its_last_sample(tmp_path: Path) -> None:
    """Three frames of NTSC end five samples after the tenth bucket."""
    level = np.full((1, round(4805 / 48_000 * 44_100)), 0.5)
    video = write_sounding(tmp_path / "a.mov", 3, level, Fraction(30000, 1001), samples_a_second=44_100)
    assert peaks(video, tmp_path / "a.dat").bucket_count == 11
    assert read_peaks(tmp_path / "a.dat").highest[10] > 40


def test_pieces_of_any_length_give_the_same_buckets() -> None:
    seed = 20260321
    generator = np.random.default_rng(seed)
    samples = generator.uniform(-1, 1, (2, 10 * BUCKET + 7)).astype(np.float32)
    cuts = sorted(generator.integers(0, samples.shape[1], 30).tolist())
    buckets = Buckets()
    parts = [buckets.add(part) for part in np.split(samples, cuts, axis=1)]
    pairs = np.concatenate([*parts, buckets.finish()])
    expected = [
        (np.rint(samples[:, at : at + BUCKET].min() * 127), np.rint(samples[:, at : at + BUCKET].max() * 127))
        for at in range(0, samples.shape[1], BUCKET)
    ]
    assert [tuple(pair) for pair in pairs.tolist()] == expected, seed
