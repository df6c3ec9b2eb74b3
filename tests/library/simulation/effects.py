"""Who carries out the effects that handlers post: it fails now and then, also when it has done it."""

import asyncio
import random

from tests.library.simulation.history import Effect, History
from tests.library.simulation.loop import VirtualLoop

TOPIC = "charge"


class CarrierFailedError(Exception):
    """Whether it was done, the caller does not know."""


class Carrier:
    def __init__(self, loop: VirtualLoop, rng: random.Random, history: History) -> None:
        self.calm = False
        self._loop = loop
        self._rng = rng
        self._history = history
        self._faults = rng.choice((0.0, 0.2, 0.6))
        self._takes_s = rng.choice((0.2, 0.2, 20.0))

    async def carry_out(self, machine: str, row: str) -> None:
        """It happens in the middle of the call; whoever asked for it may be gone before or after."""
        began_s, takes_s = self._loop.world_s, 0.2 if self.calm else self._takes_s
        fails = not self.calm and self._rng.random() < self._faults
        is_done = not fails or self._rng.random() < 0.3
        await asyncio.sleep(self._rng.random() * takes_s)
        self._history.effects.append(Effect(row, began_s, self._loop.world_s, is_done))
        told = "carries out" if is_done else "does not carry out"
        self._history.note(self._loop.world_s, machine, f"{told} the effect of {row}")
        await asyncio.sleep(self._rng.random() * takes_s)
        if fails:
            raise CarrierFailedError(row)
