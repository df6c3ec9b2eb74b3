"""Waiting for what another process does."""

import time
from collections.abc import Callable

import pytest

LIMIT_SECONDS = 120.0


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(holds: Callable[[], bool]) -> None:
        give_up = time.monotonic() + LIMIT_SECONDS
        while not holds():
            assert time.monotonic() < give_up, "it did not happen"
            time.sleep(0.02)

    return wait
