"""A storage with a recording in it, and a folder for what the functions write, which shows what they leave."""

import tempfile
from pathlib import Path

import pytest

from gpu.render import transport
from gpu.render.hosts import VARIABLE
from tests.gpu.render.storage import Storage


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def stored(storage: Storage, match: Path) -> Storage:
    storage.objects["game.mp4"] = match.read_bytes()
    return storage
