"""Maintenance that runs beside the sessions, on one of the machines, and dies with it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from app.kit.errors import UnavailableError
from app.library.retention import Retention
from tests.library.simulation.fleet import Fleet
from tests.library.simulation.machines import KEYS, OWNER, Machine
from tests.library.simulation.store import Link

Operator = Callable[[Fleet, random.Random], Awaitable[None]]
_MUCH_LATER = timedelta(days=40)
_PATIENCE_S = 60.0


async def bury(fleet: Fleet, rng: random.Random) -> None:
    """Gives up every record but the newest, as if all were old: that this is safe may not depend on any clock."""
    for _ in range(rng.randrange(1, 4)):
        await asyncio.sleep(rng.random() * rng.choice((0.2, 2.0, 20.0)))
        machine = rng.choice(fleet.machines)
        if machine is not None:
            await machine.run(lambda machine=machine: _bury(machine), _PATIENCE_S)  # type: ignore[misc]


async def _bury(machine: Machine) -> None:
    retention = Retention(Link(machine.store, machine.name), KEYS, OWNER, lambda: machine.clock() + _MUCH_LATER)
    try:
        buried = await retention.apply(0)
    except UnavailableError as error:
        machine.store.note(machine.name, f"stops burying: {error.code}")
    else:
        machine.store.note(machine.name, f"has buried {buried}")


OPERATORS: tuple[Operator, ...] = (bury,)
