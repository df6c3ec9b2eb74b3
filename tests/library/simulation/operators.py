"""Maintenance that runs beside the sessions, on one of the machines, and dies with it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from app.kit.errors import UnavailableError
from app.library.erase import Eraser
from app.library.restore import Restore
from app.library.retention import Retention
from app.library.versions import VersionGivenUpError
from tests.library.simulation.fleet import Fleet
from tests.library.simulation.history import History, Operation
from tests.library.simulation.machines import KEYS, OWNER, Machine
from tests.library.simulation.store import Link

Operator = Callable[[Fleet, History, random.Random], Awaitable[None]]
_MUCH_LATER = timedelta(days=40)
_PATIENCE_S = 60.0
_DEADLINE_S = 5.0


async def bury(fleet: Fleet, history: History, rng: random.Random) -> None:
    """Gives up every record but the newest, as if all were old: that this is safe may not depend on any clock."""
    await _now_and_then(fleet, rng, _bury)


async def restore(fleet: Fleet, history: History, rng: random.Random) -> None:
    """Makes some version that is there the newest; the same one again when nobody knows, or just so."""
    await _now_and_then(fleet, rng, lambda machine: _restore(machine, history, rng))


async def erase(fleet: Fleet, history: History, rng: random.Random) -> None:
    """All of the user; once more when it was not completed, or just so: meanwhile the user may have come back."""
    await _now_and_then(fleet, rng, lambda machine: _erase(machine, history, rng))


OPERATORS: tuple[Operator, ...] = (bury, restore, erase)


async def _now_and_then(fleet: Fleet, rng: random.Random, work: Callable[[Machine], Coroutine[Any, Any, None]]) -> None:
    for _ in range(rng.randrange(1, 4)):
        await asyncio.sleep(rng.random() * rng.choice((0.2, 2.0, 20.0)))
        machine = rng.choice(fleet.machines)
        if machine is not None:
            await machine.run(lambda machine=machine: work(machine), _PATIENCE_S)  # type: ignore[misc]


async def _bury(machine: Machine) -> None:
    """In the generation of then: one that was closed meanwhile is buried by who was frozen before."""
    link = Link(machine.store, machine.name)
    retention = Retention(link, KEYS, OWNER, lambda: machine.clock() + _MUCH_LATER)
    generation = max((int(key.split("/")[-3]) for key in machine.store.under(KEYS.library_prefix(OWNER))), default=0)
    try:
        buried = await retention.apply(generation)
    except UnavailableError as error:
        machine.store.note(machine.name, f"stops burying: {error.code}")
    else:
        machine.store.note(machine.name, f"has buried {buried}")


async def _restore(machine: Machine, history: History, rng: random.Random) -> None:
    process = Restore(Link(machine.store, machine.name), KEYS, OWNER, machine.clock, _DEADLINE_S)
    loop, target = machine.store.loop, None
    for _ in range(rng.randrange(1, 4)):
        try:
            if target is None:
                versions = await process.versions()
                kept = [version for version in versions if not version.is_given_up]
                if not versions:
                    return
                target = rng.choice(kept if kept and rng.random() < 0.9 else versions)
            operation = history.began(Operation("restore", loop.world_s, target.number), machine.name)
            operation.version = await process.append(target)
            operation.ended_s = loop.world_s
        except (UnavailableError, VersionGivenUpError) as error:
            machine.store.note(machine.name, f"stops restoring: {error.code}")
        else:
            machine.store.note(machine.name, f"has restored {target.number} as {operation.version}")
        await asyncio.sleep(rng.random())


async def _erase(machine: Machine, history: History, rng: random.Random) -> None:
    process = Eraser(Link(machine.store, machine.name), KEYS, OWNER.user_id, machine.clock, _DEADLINE_S)
    operation = history.began(Operation("erase", machine.store.loop.world_s, again=rng.random() < 0.5), machine.name)
    try:
        erased = await process.erase(again=operation.again)
    except UnavailableError as error:
        machine.store.note(machine.name, f"stops erasing: {error.code}")
    else:
        operation.ended_s = machine.store.loop.world_s
        machine.store.note(machine.name, f"has erased: {erased.closed} closed, {erased.overwritten} overwritten")
