"""The cut has the sound of the exact path, beside the same pictures."""

from pathlib import Path

import numpy as np
import pytest

from gpu.plan.spec import EditSpec
from tests.gpu.render.rendering import render
from tests.gpu.render.smart.cutting import cut
from tests.gpu.render.test_sound import SYNC_LIMIT_SECONDS, first_beep, first_flash
from tests.gpu.render.videos import read_sound, write_with_sound

LARGEST_DIFFERENCE = 0.008
"""Root of the mean square. Decoders of AAC make up noise, each time other; one sample's shift of the beep is 0.014."""


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "mono"), (44_100, "stereo")])
@pytest.mark.parametrize(("start", "end"), [(0, 75), (30, 75), (17, 68), (12, 39)])
def test_it_is_the_exact_paths_sound(tmp_path: Path, rate: int, layout: str, start: int, end: int) -> None:
    video = write_with_sound(tmp_path / "in.mp4", 75, "aac", rate, layout)
    done = cut(video, start, end, tmp_path / "smart.mp4")
    result = render(video, EditSpec.of_clip(start, end), tmp_path / "exact.mp4")
    assert done.sample_count == (end - start) * 1600
    assert result.audio_duration_ms == result.duration_ms
    smart, exact = read_sound(tmp_path / "smart.mp4"), read_sound(tmp_path / "exact.mp4")
    assert smart.shape == exact.shape
    assert np.sqrt(np.mean((smart - exact) ** 2)) < LARGEST_DIFFERENCE


@pytest.mark.parametrize("start", [0, 13, 30, 44])
def test_beep_and_flash_come_together(tmp_path: Path, start: int) -> None:
    video = write_with_sound(tmp_path / "in.mp4", 90)
    cut(video, start, 90, tmp_path / "out.mp4")
    assert abs(first_beep(tmp_path / "out.mp4") - first_flash(tmp_path / "out.mp4")) <= SYNC_LIMIT_SECONDS


def test_sound_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "in.mp4", 90, sound_seconds=1)
    assert cut(video, 15, 90, tmp_path / "out.mp4").sample_count == 120_000
    sound = np.abs(read_sound(tmp_path / "out.mp4"))
    assert sound[:20_000].mean() > 0.001
    assert sound[30_000:].max() < 0.001


def test_without_sound_there_is_no_track(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "in.mp4", 60)
    assert cut(video, 15, 60, tmp_path / "out.mp4", with_sound=False).sample_count is None
    assert b"soun" not in (tmp_path / "out.mp4").read_bytes()
