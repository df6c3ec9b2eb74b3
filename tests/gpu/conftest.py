"""A recording that many tests read, written once a session, and a storage to read it from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpu.sample.writer import write_sample
from tests.gpu.render.storage import Storage, serving
from tests.gpu.render.videos import HEIGHT, WIDTH


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="session")
def match(folder: Path) -> Path:
    """Four seconds at 30 frames a second, a keyframe every second, mono sound."""
    path = folder / "match.mp4"
    write_sample(path, 4, width=WIDTH, height=HEIGHT)
    return path


@pytest.fixture
def storage() -> Iterator[Storage]:
    with serving() as running:
        yield running
