"""Tells whether a planted file was opened and whether a planted address was called, whoever did it and however."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.gpu.render.storage import Storage, serving

_OPENED_OR_READ = 0x20 | 0x01
"""IN_OPEN and IN_ACCESS of inotify(7)."""


@dataclass(frozen=True)
class Trap:
    """`bait` is a real MPEG-TS file that a playlist could name; `lure` the URL of the same."""

    bait: Path
    lure: str
    _watch: int
    _server: Storage

    def sprung(self) -> list[str]:
        """What was touched since the last call."""
        touched = [f"{method} of the lure" for method, _ in self._server.requests]
        self._server.requests.clear()
        with suppress(BlockingIOError):
            touched += ["the bait was opened"] * bool(os.read(self._watch, 1 << 16))
        return touched


@contextmanager
def trap(folder: Path, video: bytes) -> Iterator[Trap]:
    """Raises OSError where the kernel has no inotify."""
    bait = folder / "bait.ts"
    bait.write_bytes(video)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(bait), _OPENED_OR_READ) < 0:
        raise OSError(ctypes.get_errno(), "inotify does not watch the bait")
    try:
        with serving() as server:
            yield Trap(bait, f"http://127.0.0.1:{server.port}/lure.ts", watch, server)
    finally:
        os.close(watch)
