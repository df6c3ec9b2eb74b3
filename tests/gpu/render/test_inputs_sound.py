"""Sound of every kind: its level, and its place beside the pictures."""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.spec import EditSpec
from gpu.render.media import open_media
from gpu.render.reader import Range, Sound, read_range
from tests.gpu.render.rendering import render
from tests.gpu.render.test_inputs import PLAIN
from tests.gpu.render.videos import RATE, paintings, read_sound, write_with_ffmpeg

SAMPLE_RATE = 48_000
FRAMES = 45
TONE = "0.5*sin(2*PI*500*t)"
LAYOUT = ("FL", "FR", "FC", "LFE", "BL", "BR")
SHARE = 1 / (1 + sqrt(2))
"""What is left of a front channel: with the centre and one rear at -3 dB the sum must not exceed full level."""
PCM = ("-c:a", "pcm_s16le")
LATE = 0.3


def write(path: Path, sound: str, arguments: Sequence[str] = PCM) -> Path:
    return write_with_ffmpeg(path, paintings(FRAMES), (*PLAIN, *arguments), inputs=("-f", "lavfi", "-i", sound))


def heard(video: Path) -> npt.NDArray[np.float32]:
    """Both channels, from the first picture on."""
    track = np.zeros((2, 3 * SAMPLE_RATE), np.float32)
    with video.open("rb") as file, open_media(file) as media:
        for item in read_range(media, Range(0, FRAMES, RATE), with_sound=True):
            if isinstance(item, Sound):
                start, end = max(item.position, 0), min(item.position + item.samples.shape[1], track.shape[1])
                track[:, start:end] = item.samples[:, start - item.position : end - item.position]
    return track


def levels(track: npt.NDArray[np.float32]) -> list[float]:
    """Amplitude of the tone in each channel, of the second half second."""
    part = track[:, SAMPLE_RATE // 2 : SAMPLE_RATE]
    return [float(np.sqrt(2 * (channel**2).mean())) for channel in part]


def onset(sound: npt.NDArray[np.generic]) -> float:
    """Seconds at which it gets loud."""
    return float(np.flatnonzero(np.abs(sound) > 0.1)[0]) / SAMPLE_RATE


@pytest.mark.parametrize(
    ("channel", "left", "right"),
    [
        ("FL", 1, 0),
        ("FR", 0, 1),
        ("FC", sqrt(0.5), sqrt(0.5)),
        ("LFE", 0, 0),
        ("BL", sqrt(0.5), 0),
        ("BR", 0, sqrt(0.5)),
    ],
)
def test_surround_is_mixed_as_bs_775_says(tmp_path: Path, channel: str, left: float, right: float) -> None:
    expressions = "|".join(TONE if one == channel else "0" for one in LAYOUT)
    video = write(tmp_path / "a.mov", f"aevalsrc={expressions}:c=5.1:s=48000:d=2")
    assert levels(heard(video)) == pytest.approx([0.5 * SHARE * left, 0.5 * SHARE * right], abs=0.002)


def test_surround_at_full_level_does_not_clip(tmp_path: Path) -> None:
    expressions = "|".join(["0.999*sin(2*PI*500*t)"] * 6)
    track = heard(write(tmp_path / "a.mov", f"aevalsrc={expressions}:c=5.1:s=48000:d=2"))
    assert 0.98 < np.abs(track).max() <= 1


def test_one_channel_is_heard_on_both_sides_at_full_level(tmp_path: Path) -> None:
    assert levels(heard(write(tmp_path / "a.mov", f"aevalsrc={TONE}:s=48000:d=2"))) == pytest.approx(
        [0.5, 0.5], abs=0.002
    )


def test_two_channels_stay_what_they_are(tmp_path: Path) -> None:
    video = write(tmp_path / "a.mov", f"aevalsrc={TONE}|0.25*sin(2*PI*500*t):c=stereo:s=44100:d=2")
    assert levels(heard(video)) == pytest.approx([0.5, 0.25], abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.mov", PCM, 44_100), ("a.mp4", ("-c:a", "aac"), 48_000), ("a.mkv", ("-c:a", "libopus"), 48_000)],
)
@pytest.mark.parametrize("shift", [LATE, -LATE], ids=["late", "early"])
def test_sound_that_starts_late_or_early_stays_beside_its_picture(
    tmp_path: Path, name: str, codec: Sequence[str], rate: int, shift: float
) -> None:
    """The tone is at 0.8 s of the sound, which begins `shift` after the pictures."""
    moved = f"-af asetpts=PTS+{shift}/TB" if shift > 0 else f"-vf setpts=PTS+{-shift}/TB"
    sound = f"aevalsrc='if(gte(t,0.8),{TONE},0)':s={rate}:d=2"
    video = write(tmp_path / name, sound, (*codec, *moved.split()))
    render(video, EditSpec.model_validate({"in_frame": 3, "out_frame": 36}), tmp_path / "out.mp4")
    assert onset(read_sound(tmp_path / "out.mp4")) == pytest.approx(0.8 + shift - 0.1, abs=0.003)


def test_a_gap_is_silent_and_moves_nothing(tmp_path: Path) -> None:
    """What is recorded from 0.5 s on is marked 0.4 s later."""
    sound = f"aevalsrc={TONE}:s=48000:d=2,asetpts='PTS+if(gte(T,0.5),0.4,0)/TB'"
    track = heard(write(tmp_path / "a.mkv", sound))[0]
    loud = np.abs(track[: int(1.4 * SAMPLE_RATE)]).reshape(-1, 480).max(axis=1) > 0.1
    edges = (np.flatnonzero(np.diff(loud.astype(int))) + 1) / 100
    assert edges == pytest.approx([0.5, 0.9], abs=0.03)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "aac"), ("a.mkv", "libopus"), ("a.webm", "libopus"), ("a.mp4", "aac"), ("a.ts", "mp2")],
)
def test_sound_begins_with_the_first_picture(tmp_path: Path, name: str, codec: str) -> None:
    pictures = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8") if name == "a.webm" else ("-bf", "2")
    video = write(tmp_path / name, f"aevalsrc={TONE}:s=48000:d=2", ("-c:a", codec, *pictures))
    assert onset(heard(video)[0]) < 0.002
