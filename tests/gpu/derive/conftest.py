"""Recordings that several tests read, written once a session."""

from pathlib import Path

import pytest

from gpu.sample.writer import write_sample
from tests.gpu.render.videos import HEIGHT, WIDTH


@pytest.fixture(scope="session")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 30 frames a second, a keyframe every second, a beep with every flash."""
    path = tmp_path_factory.mktemp("match") / "match.mp4"
    write_sample(path, 4, width=WIDTH, height=HEIGHT)
    return path
