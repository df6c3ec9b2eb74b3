"""What one scenario does to its machines, network and store; drawn once from the seed."""

import random
from typing import NamedTuple

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Outage(NamedTuple):
    """The store does not answer `machine` (None: anyone) from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    machine: str | None


class Weather(NamedTuple):
    """Rates are for each request; seconds are virtual.

    `deaths` and `pauses` are expected numbers for each machine's life of `life` callbacks.
    """

    store_faults: float
    network_faults: float
    latency_s: float
    timeout_s: float
    late_s: float
    deaths: float
    pauses: float
    pause_s: float
    clock_stops: bool
    skew_s: float
    life: int
    outages: tuple[Outage, ...]
    hang_up_cancels: bool


def draw_weather(rng: random.Random, machines: int) -> Weather:
    return Weather(
        store_faults=rng.choice((0.0, 0.03, 0.1, 0.3)),
        network_faults=rng.choice((0.0, 0.0, 0.05, 0.2)),
        latency_s=rng.choice((0.001, 0.03, 0.03, 0.3)),
        timeout_s=rng.choice((1.0, 5.0, 20.0)),
        late_s=rng.choice((1.0, 60.0, HOUR_S, 2 * DAY_S)),
        deaths=rng.choice((0.0, 0.5, 1.0, 2.0)),
        pauses=rng.choice((0.0, 0.0, 0.5, 1.0)),
        pause_s=rng.choice((1.0, 10.0, 60.0, HOUR_S, 8 * DAY_S)),
        clock_stops=rng.random() < 0.5,
        skew_s=rng.choice((0.0, 1.0, 300.0)),
        life=rng.choice((40, 150, 400)),
        outages=tuple(_draw_outage(rng, machines) for _ in range(rng.choice((0, 0, 0, 1, 2)))),
        hang_up_cancels=rng.random() < 0.3,
    )


def _draw_outage(rng: random.Random, machines: int) -> Outage:
    start_s = rng.random() * 20
    machine = f"m{rng.randrange(machines)}" if rng.random() < 0.5 else None
    return Outage(start_s, start_s + rng.choice((0.5, 5.0, 40.0)), machine)
