"""The sample recording."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpu.render.produce import probe_file
from gpu.sample.scene import Scene
from gpu.sample.writer import write_sample
from tests.gpu.render.rendering import numbers_in


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    command = [sys.executable, "-m", "gpu.sample", str(path), "--seconds", "2", "--size", "320x180"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def test_it_is_a_recording_with_sound(sample: Path) -> None:
    with sample.open("rb") as file:
        info = probe_file(file)
    assert (info.frame_count, info.fps_num, info.width, info.height, info.audio_codec) == (60, 30, 320, 180, "aac")


def test_every_frame_has_its_number(sample: Path) -> None:
    assert numbers_in(sample) == list(range(60))


def test_a_second_run_writes_the_same_pictures(tmp_path: Path, sample: Path) -> None:
    write_sample(tmp_path / "again.mp4", 2, width=320, height=180)
    assert numbers_in(tmp_path / "again.mp4") == numbers_in(sample)
    first, second = Scene(320, 180, 30.0).draw(17), Scene(320, 180, 30.0).draw(17)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_players_move_and_the_flash_comes_every_second() -> None:
    scene = Scene(320, 180, 30.0)
    pitch = slice(60, None)
    assert (scene.draw(10).y[pitch] != scene.draw(11).y[pitch]).any()
    assert [number for number in range(65) if scene.flashes(number)] == [0, 1, 2, 30, 31, 32, 60, 61, 62]
    assert scene.draw(31).y[scene.flash_rows()].min() == 235
    assert scene.draw(35).y[scene.flash_rows()].max() == 16
