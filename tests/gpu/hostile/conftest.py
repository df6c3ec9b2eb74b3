"""The corpus, the trap that some of its files name, and storage to read them from."""

import sys
from collections.abc import Iterator

import pytest

from tests.gpu.hostile.corpus import SEED
from tests.gpu.hostile.seed import Seed, plant
from tests.gpu.hostile.trap import Trap, trap
from tests.gpu.render.storage import Storage, serving
from tests.gpu.render.videos import write_video


@pytest.fixture(scope="session")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trap]:
    if sys.platform != "linux":
        pytest.skip("inotify, which watches the bait, is Linux only")
    folder = tmp_path_factory.mktemp("trap")
    with trap(folder, write_video(folder / "seed.ts", 30).read_bytes()) as one:
        yield one


@pytest.fixture(scope="session")
def seed(trapped: Trap) -> Seed:
    sys.stdout.write(f"seed {SEED}\n")
    return plant(SEED, str(trapped.bait), trapped.lure)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with serving() as running:
        yield running
