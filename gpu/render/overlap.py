"""Runs a producer in a thread of its own, so that decoding and warping go on while the encoder works."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
ANY_NUMBER = 0
"""Of items ahead: for those that take next to no memory."""
_DRAIN_SECONDS = 0.05


@dataclass(frozen=True)
class _End:
    """The producer is done; `error` is what it raised."""

    error: BaseException | None = None


@contextmanager
def overlapped(
    items: Generator[Item], depth: int, stop_waiting: Callable[[], None] = lambda: None
) -> Iterator[Iterator[Item]]:
    """Yields the items in order, at most `depth` ahead; what the producer raises is raised here.

    Leaving the block closes the producer and waits for its thread; `stop_waiting` is called first, to end whatever it
    waits for, unless its end has been read.
    """
    line: queue.Queue[Item | _End] = queue.Queue(depth)
    stopped, ended = threading.Event(), threading.Event()
    thread = threading.Thread(target=_produce, args=(items, line, stopped), name="producer", daemon=True)
    thread.start()
    try:
        yield _consumed(line, ended)
    finally:
        stopped.set()
        if thread.is_alive() and not ended.is_set():
            stop_waiting()
        while thread.is_alive():
            _drain(line)
            thread.join(_DRAIN_SECONDS)


def _produce(items: Generator[Item], line: "queue.Queue[Item | _End]", stopped: threading.Event) -> None:
    try:
        for item in items:
            line.put(item)
            if stopped.is_set():
                break
        end = _End()
    except BaseException as error:
        end = _End(error)
    finally:
        items.close()
    line.put(end)


def _consumed(line: "queue.Queue[Item | _End]", ended: threading.Event) -> Iterator[Item]:
    while True:
        item = line.get()
        if not isinstance(item, _End):
            yield item
            continue
        ended.set()
        if item.error is not None:
            raise item.error
        return


def _drain(line: "queue.Queue[Item | _End]") -> None:
    while not line.empty():
        line.get_nowait()
