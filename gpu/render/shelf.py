"""Keeps the sources of a render open, so that clips of one source share its index and its decoder."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from gpu.render.media import Media, open_media
from gpu.render.sources import SourceFile, Sources

DECODER_THREADS = 1
"""A render's parts keep all cores busy; another thread only takes memory for pictures of its own."""
MOST_IDLE = 2
"""Media that wait for the next clip; a decoder of 4K pictures takes a few hundred MB."""


class Shelf:
    """A context; used by one thread. Two clips at once never get the same Media, even of the same source.

    `abort()` may come from any thread: it ends reads that wait, and later ones fail.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._idle: list[tuple[int, Media, ExitStack]] = []
        self._lock = threading.Lock()
        self._opened: list[SourceFile] = []
        self._aborted = False

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(self, *_: object) -> None:
        self._keep(0)

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            for file in self._opened:
                file.abort()

    @contextmanager
    def lend(self, index: int) -> Iterator[Media]:
        """Source `index`, read from an arbitrary position. Raises MediaFailure."""
        media, stack = self._take(index)
        try:
            yield media
        except BaseException:
            stack.close()
            raise
        self._idle.append((index, media, stack))
        self._keep(MOST_IDLE)

    def _take(self, index: int) -> tuple[Media, ExitStack]:
        for place, (number, media, stack) in enumerate(self._idle):
            if number == index:
                del self._idle[place]
                return media, stack
        with ExitStack() as opening:
            file = self._open(index)
            opening.callback(self._close, file)
            media = opening.enter_context(open_media(file, DECODER_THREADS))
            return media, opening.pop_all()

    def _open(self, index: int) -> SourceFile:
        file = self._sources.open(index)
        with self._lock:
            self._opened.append(file)
            if self._aborted:
                file.abort()
        return file

    def _close(self, file: SourceFile) -> None:
        with self._lock:
            self._opened.remove(file)
        file.close()

    def _keep(self, most: int) -> None:
        while len(self._idle) > most:
            self._idle.pop(0)[2].close()
