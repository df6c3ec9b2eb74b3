"""Tells others how far a render is: to a receiver that may be slow, and to people at a terminal or in a log.

The latest progress is published from a thread of its own, so that a slow receiver never slows the render.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from gpu.contract import RenderProgress

_BAR_CELLS = 24

log = logging.getLogger(__name__)


class Publisher:
    """Calls `publish` with the latest report at most once every `interval` seconds, and with the last one at the end.

    Progress is ephemeral: a report that cannot be published is logged, and the render goes on.
    """

    def __init__(self, publish: Callable[[RenderProgress], None], interval: float) -> None:
        self._publish, self._interval = publish, interval
        self._latest: RenderProgress | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def report(self, progress: RenderProgress) -> None:
        """Returns at once."""
        with self._changed:
            self._latest = progress
            self._changed.notify()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._latest is not None or self._closed.is_set())
                progress, self._latest = self._latest, None
            if progress is None:
                return
            try:
                self._publish(progress)
            except Exception as error:
                log.warning("progress was not published: %s", type(error).__name__)
            self._closed.wait(self._interval)


class Meter:
    """Shows progress: as a bar on a terminal, and elsewhere as a line for every tenth that is done.

    The rate is of the frames since the first report that had any, as starting takes its time.
    """

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock, self._terminal = out, clock, out.isatty()
        self._begun: tuple[float, int] | None = None
        self._tenths = 0
        self._width = 0

    def __call__(self, progress: RenderProgress) -> None:
        done, total = progress.frames_done, progress.frames_total
        if done and self._begun is None:
            self._begun = self._clock(), done
        tenths = 10 * done // total if total else 0
        if self._terminal:
            self._draw(f"{_bar(done, total)} {progress.phase:<9} {self._words(done, total)}")
        elif tenths > self._tenths:
            self._tenths = tenths
            self._out.write(f"{progress.phase} {self._words(done, total)}\n")
            self._out.flush()

    def finish(self) -> None:
        """Leaves the last state of the bar on a line of its own."""
        if self._width:
            self._out.write("\n")
            self._out.flush()

    def _draw(self, line: str) -> None:
        """Over the line before, of which nothing may be left."""
        self._out.write(f"\r{line:<{self._width}}")
        self._out.flush()
        self._width = len(line)

    def _words(self, done: int, total: int) -> str:
        if not total:
            return ""
        words = f"{100 * done // total:3} %, {done} / {total} frames"
        since, first = self._begun or (0.0, 0)
        seconds = self._clock() - since
        if done <= first or seconds <= 0:
            return words
        rate = (done - first) / seconds
        return f"{words}, {rate:.1f} fps, {_clock_face((total - done) / rate)} left"


def _bar(done: int, total: int) -> str:
    filled = _BAR_CELLS * done // total if total else 0
    return f"[{'#' * filled:<{_BAR_CELLS}}]"


def _clock_face(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
