"""A deploy of each strategy under load: 50 requests a second, 20 sockets, two machines of the product's backend.

The baseline of a latency is the same run's own, before its deploy; failed requests are held against none at all.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from tests.faults.deploys.measured import Measured, measure_deploy

STRATEGIES = ("rolling", "canary", "bluegreen")
# On two cores the new machines' start takes the time of those that serve.
SLOWEST_DURING = 10.0
MS = 1000.0


def figures() -> Iterator[Figure]:
    for strategy in STRATEGIES:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            measured = asyncio.run(measure_deploy(Path(scratch), strategy))
        yield from _figures(strategy, measured)


def _figures(strategy: str, measured: Measured) -> Iterator[Figure]:
    failed, asked = float(len(measured.failures)), float(len(measured.answers))
    yield Figure(f"failed requests, {strategy} deploy", failed, "requests", asked, limit=0.0, at_most=True)
    during, before = measured.p95_during_s * MS, measured.p95_before_s * MS
    yield Figure(f"P95 during a {strategy} deploy", during, "ms", before, limit=SLOWEST_DURING, at_most=True)
