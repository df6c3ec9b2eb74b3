"""Waiting for something outside to become true."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(probe: Callable[[], T | None], *, timeout_s: float, interval_s: float = 0.2) -> T | None:
    """The first answer of `probe` that is not None, or None when the time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer is not None or time.monotonic() >= deadline:
            return answer
        time.sleep(interval_s)
