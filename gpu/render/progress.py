"""Publishes the latest progress from a thread of its own, so that a slow receiver never slows the render."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gpu.contract import RenderProgress

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
