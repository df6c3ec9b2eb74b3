"""Waiting for other processes: for a condition instead of a time."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import psutil

Found = TypeVar("Found")
PATIENCE_SECONDS = 120.0
"""Bounds a hang only: a busy machine takes many seconds to start a process."""


def until(look: Callable[[], Found | None], missing: str) -> Found:
    """The first thing that `look` finds; AssertionError with `missing` after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError(missing)


def left_of(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that did not end by themselves within `PATIENCE_SECONDS`; now they are ended."""
    _, left = psutil.wait_procs(processes, PATIENCE_SECONDS)
    for one in left:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    return list(left)
