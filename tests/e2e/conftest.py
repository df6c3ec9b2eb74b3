"""One system for the whole folder: bringing it up is the slow part, and the tests are steps of one story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import System, copy_of_the_repository


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made = copy_of_the_repository(tmp_path_factory.mktemp("repository"))
    try:
        yield made
    finally:
        made.make("down")


@pytest.fixture(scope="session")
def first_up(system: System) -> str:
    """What the first `make up` said."""
    return system.make("up")


@pytest.fixture
def reel(system: System, first_up: str) -> Path:
    return system.root / ".local/reels/sample-9x16.mp4"
