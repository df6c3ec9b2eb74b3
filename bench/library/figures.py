"""Every figure of the library, in about two minutes."""

import logging
from collections.abc import Iterator

import uvloop

from bench.figure import Figure
from bench.library import cold_open, latency, memory, requests, throughput, weight
from bench.library.stand_in import stand_in

_MEASURED = (requests, throughput, latency, weight, cold_open, memory)


def figures() -> Iterator[Figure]:
    """Needs nothing running: the stand-in is started, and ended, here. The event loop is the server's (uvloop)."""
    quieten()
    with stand_in() as r2:
        for room in _MEASURED:
            yield from uvloop.run(room.measure(r2))


def quieten() -> None:
    """The notices of large libraries are wanted elsewhere."""
    logging.getLogger("app.library").setLevel(logging.ERROR)
