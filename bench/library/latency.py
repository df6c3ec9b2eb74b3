"""How long a write takes above the bare PUT of the same bytes: medians of pairs in turn."""

import statistics
import time

from app.library.libraries import Libraries
from bench.figure import Figure
from bench.library.goals import above
from bench.library.measured_store import MeasuredStore
from bench.library.session import Session
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, SMALL, stock

_PAIRS = 60
_GOAL_MS = 5.0
_MS = 1000.0


async def measure(stand_in: StandIn) -> list[Figure]:
    objects = MeasuredStore(stand_in.settings)
    desk = await stock(objects, "latency", SMALL)
    libraries = Libraries(objects, KEYS, clock=desk.clock)
    session = Session(libraries, desk)
    await session.change()
    writes, puts = [], []
    for number in range(_PAIRS):
        begun = time.perf_counter()
        await session.change()
        written = time.perf_counter()
        await objects.create(f"bench/bare/{number}", objects.bodies[-1])
        writes.append(written - begun)
        puts.append(time.perf_counter() - written)
    await libraries.close()
    value, baseline = statistics.median(writes) * _MS, statistics.median(puts) * _MS
    name = "P50 of a write, 216 KB, at most 5 ms above the bare PUT's"
    return [above(name, value, "ms", baseline, _GOAL_MS)]
