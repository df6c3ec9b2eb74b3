"""One scene for each test file: the fork server and the copy are its slow part."""

from collections.abc import Iterator

import pytest

from tests.faults.scene import Scene, scene
from tests.faults.story import Complete, complete_stack


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as made:
        yield made


@pytest.fixture(scope="module")
def complete(stage: Scene, tmp_path_factory: pytest.TempPathFactory) -> Complete:
    """What one `up` without faults ends with."""
    return complete_stack(stage, tmp_path_factory.mktemp("complete") / "snapshot")
