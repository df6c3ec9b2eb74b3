"""How long the first read of a library takes above the bare requests that it makes: medians of pairs in turn."""

import statistics
import time

from app.library.libraries import Libraries
from bench.figure import Figure
from bench.library.goals import above
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, LARGE, SMALL, stock

_SMALL_PAIRS, _LARGE_PAIRS = 25, 15
_SMALL_GOAL_MS, _LARGE_GOAL_MS = 15.0, 80.0
_MS = 1000.0


async def measure(stand_in: StandIn) -> list[Figure]:
    objects = MeasuredStore(stand_in.settings)
    small = await medians_s(objects, await stock(objects, "cold-small", SMALL), _SMALL_PAIRS)
    large = await medians_s(objects, await stock(objects, "cold-large", LARGE), _LARGE_PAIRS)
    return [_figure("216 KB", small, _SMALL_GOAL_MS), _figure("5 MB", large, _LARGE_GOAL_MS)]


def _figure(size: str, medians: tuple[float, float], goal_ms: float) -> Figure:
    value, baseline = (seconds * _MS for seconds in medians)
    name = f"P50 of a cold open, {size}, at most {goal_ms:.0f} ms above its bare requests"
    return above(name, value, "ms", baseline, goal_ms)


async def medians_s(objects: MeasuredStore, desk: Desk, pairs: int) -> tuple[float, float]:
    """Of the cold open with its first query, and of the same requests alone."""
    opened, bare = [], []
    for _ in range(pairs):
        objects.forget()
        libraries = Libraries(objects, KEYS)
        begun = time.perf_counter()
        async with libraries.read(desk.owner) as db:
            (count,) = db.execute("SELECT count(*) FROM clips").fetchone()
        opened.append(time.perf_counter() - begun)
        assert count == len(desk.revisions)
        await libraries.close()
        reads = list(objects.reads)
        begun = time.perf_counter()
        await objects.repeat(reads)
        bare.append(time.perf_counter() - begun)
    return statistics.median(opened), statistics.median(bare)
