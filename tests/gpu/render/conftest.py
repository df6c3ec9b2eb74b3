"""A recording at a rate that is no whole number, written once a session."""

from fractions import Fraction
from pathlib import Path

import pytest

from gpu.sample.writer import write_sample
from tests.gpu.render.videos import HEIGHT, WIDTH


@pytest.fixture(scope="session")
def ntsc(folder: Path) -> Path:
    path = folder / "ntsc.mp4"
    write_sample(path, 3, width=WIDTH, height=HEIGHT, rate=Fraction(30000, 1001))
    return path
