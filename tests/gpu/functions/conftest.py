"""A storage with a recording in it, and a folder for what the functions write, which shows what they leave."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpu.render import transport
from gpu.render.hosts import VARIABLE
from gpu.sample.writer import write_sample
from tests.gpu.render.storage import Storage, serving
from tests.gpu.render.videos import HEIGHT, WIDTH


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("functions")


@pytest.fixture(scope="session")
def match(folder: Path) -> bytes:
    """Four seconds at 30 frames a second, a keyframe every second, mono sound."""
    path = folder / "match.mp4"
    write_sample(path, 4, width=WIDTH, height=HEIGHT)
    return path.read_bytes()


@pytest.fixture
def storage() -> Iterator[Storage]:
    with serving() as running:
        yield running


@pytest.fixture
def stored(storage: Storage, match: bytes) -> Storage:
    storage.objects["game.mp4"] = match
    return storage
