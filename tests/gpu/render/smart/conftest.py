"""The recordings, each written once a session and decoded once."""

from pathlib import Path

import pytest

from tests.gpu.render.smart.cutting import Decoded, decoded
from tests.gpu.render.smart.sources import WRITTEN


class Sources:
    """Recordings by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._videos: dict[str, Path] = {}
        self._decoded: dict[str, Decoded] = {}

    def video(self, name: str) -> Path:
        if name not in self._videos:
            self._videos[name] = WRITTEN[name](self._folder / f"{name}.mp4")
        return self._videos[name]

    def decoded(self, name: str) -> Decoded:
        if name not in self._decoded:
            self._decoded[name] = decoded(self.video(name))
        return self._decoded[name]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(tmp_path_factory.mktemp("smart"))
