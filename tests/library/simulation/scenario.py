"""One seed: a scenario is drawn, played to its end in virtual time, and checked."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

from app.kit.errors import AppError
from app.library.verify import Verification
from tests.library.simulation.checks import violations
from tests.library.simulation.effects import Carrier
from tests.library.simulation.fleet import Fleet
from tests.library.simulation.history import LAST, Answer, Call, History, Request
from tests.library.simulation.images import Images, draw_images, in_use
from tests.library.simulation.lineage import Lineage, read_lineage
from tests.library.simulation.loop import NothingLeftError, VirtualLoop
from tests.library.simulation.machines import KEYS, OWNER, Settings, row_ids
from tests.library.simulation.operators import OPERATORS
from tests.library.simulation.randomness import seeded
from tests.library.simulation.sessions import Background, Habits, Session
from tests.library.simulation.store import EPOCH, Link, Store
from tests.library.simulation.weather import DAY_S, draw_weather

_CALM_PATIENCE_S = 120.0
# Effects of those who died are left to them for a minute, and pauses between tries grow to a minute.
_EFFECTS_TAKE_S = 600.0


class Outcome(NamedTuple):
    seed: int
    violations: list[str]
    history: str


class World(NamedTuple):
    """The parts of one scenario."""

    loop: VirtualLoop
    store: Store
    fleet: Fleet
    history: History
    rng: random.Random
    images: Images


def simulate(seed: int) -> Outcome:
    """The same seed gives the same history, byte for byte, in any process."""
    history = History()
    loop = VirtualLoop(_rng(seed, "threads"))  # type: ignore[abstract]  # no sockets, processes and signals here
    try:
        images = draw_images(_rng(seed, "images"))
        with seeded(_rng(seed, "secrets"), lambda: EPOCH + timedelta(seconds=loop.time())), in_use(images):
            found = loop.run_until_complete(_play(seed, loop, history, images))
    except NothingLeftError as error:
        found = [f"everything_ends: {error}"]
    finally:
        loop.close()
    found += [f"no_callback_fails: {failure}" for failure in loop.failures]
    return Outcome(seed, found, "\n".join(history.lines))


async def _play(seed: int, loop: VirtualLoop, history: History, images: Images) -> list[str]:
    rng = _rng(seed, "scenario")
    machines = rng.randrange(2, 5)
    weather = draw_weather(rng, machines)
    settings = Settings(deadline_s=rng.choice((2.0, 10.0)), cache_bytes=rng.choice((1, 2**20, 2**26)))
    history.note(0.0, "scenario", f"{machines} machines, {settings}, {images}, {weather}")
    store = Store(loop, _rng(seed, "store"), weather, history)
    carrier = Carrier(loop, _rng(seed, "effects"), history)
    fleet = Fleet(store, carrier, _rng(seed, "fleet"), weather, settings, machines)
    world = World(loop, store, fleet, history, rng, images)
    await _live(world, _rng(seed, "operators"))
    return await _settle(world)


async def _live(world: World, operators_rng: random.Random) -> None:
    """Sessions, jobs and operators, until each is done."""
    rng, fleet, history = world.rng, world.fleet, world.history
    machines = len(fleet.machines)
    habits = Habits(rng, machines, world.images.row_bytes)
    home = rng.randrange(machines)
    alone = rng.random() < 0.5
    sessions: list[Session] = [
        Session(f"tab-{number}", home if alone else rng.randrange(machines), fleet, history, habits)
        for number in range(rng.choice((1, 2, 2, 3, 3)))
    ]
    if rng.random() < 0.4:
        sessions.append(Background(fleet, history, habits))
    operators = [operate(fleet, history, operators_rng) for operate in OPERATORS if operators_rng.random() < 0.2]
    await asyncio.gather(*(session.run(rng.randrange(1, 5)) for session in sessions), *operators)


async def _settle(world: World) -> list[str]:
    """All faults end and all that was late arrives; then every machine must serve, and agree with a fresh one."""
    world.store.calm = True
    world.fleet.recover()
    end_s = max(world.store.settled_s, world.fleet.settled_s)
    if end_s - world.loop.world_s > DAY_S:
        await _visit(world, end_s)
    await asyncio.sleep(max(0.0, end_s - world.loop.world_s) + _CALM_PATIENCE_S)
    found = []
    if any(call.request.posts for call in world.history.calls):
        # Who reads a library sees to its effects: no write is needed.
        found = await _machines_read(world)
        await asyncio.sleep(_EFFECTS_TAKE_S)
    found += await _machines_serve(world)
    found += await _machines_close(world)
    lineage = read_lineage(world.store.created, world.store.bodies(), world.fleet.lag_s)
    forms = " ".join(version.form for version in lineage.versions[1:])
    world.history.note(world.loop.world_s, "lineage", f"is {forms}")
    found += await _others_agree(world, lineage)
    return found + violations(world.history, lineage)


async def _visit(world: World, end_s: float) -> None:
    """Someone writes while a machine is still frozen or a request still on its way: what is old is then forgotten."""
    await asyncio.sleep((end_s - world.loop.world_s) * world.rng.uniform(0.5, 1.0))
    awake = [number for number, machine in enumerate(world.fleet.machines) if machine and not machine.frozen]
    if awake:
        await _ask(world, awake[0], Request("write", "visitor", write="visit"))


async def _ask(world: World, number: int, request: Request) -> Answer:
    call = world.history.asked(world.loop.world_s, Call(request, 0, world.loop.world_s), f"m{number}")
    answer = await world.fleet.ask(number, request, _CALM_PATIENCE_S)
    world.history.answered(world.loop.world_s, call, answer)
    return answer


async def _machines_serve(world: World) -> list[str]:
    """A write of one, and then a read of each."""
    writer = world.rng.randrange(len(world.fleet.machines))
    return await _serves(world, writer, Request("write", LAST, write=LAST)) + await _machines_read(world)


async def _machines_read(world: World) -> list[str]:
    machines = range(len(world.fleet.machines))
    return [found for number in machines for found in await _serves(world, number, Request("read", LAST))]


async def _serves(world: World, number: int, request: Request) -> list[str]:
    answer = await _ask(world, number, request)
    if answer.status == "ok":
        return []
    return [f"machines_serve_again: m{number} answered a {request.kind} with {answer}"]


async def _machines_close(world: World) -> list[str]:
    return [
        f"machines_close: {machine.name} does not"
        for machine in world.fleet.machines
        if machine is not None and not await machine.run(machine.libraries.close, _CALM_PATIENCE_S)
    ]


async def _others_agree(world: World, lineage: Lineage) -> list[str]:
    """A machine that has nothing cached; where bases are in other records, the command that looks at all of them."""
    try:
        async with world.fleet.fresh().libraries.read(OWNER) as db:
            rows = row_ids(db)
        found = [] if rows == lineage.versions[-1].rows else [f"a_fresh_machine_agrees: it reads {rows}"]
        if any(version.form == "delta" for version in lineage.versions):
            found += [f"what_is_there_is_sound: {each}" async for each in _wrongs(world, lineage)]
    except AppError as error:
        return [f"the_library_is_readable: {error!r}"]
    return found


async def _wrongs(world: World, lineage: Lineage) -> AsyncIterator[str]:
    """Not of what was erased: not every erasure comes to its end."""
    erased = max((version.number for version in lineage.versions if version.kind == "erase"), default=0)
    async for finding in Verification(Link(world.store, "fresh"), KEYS, OWNER).findings():
        if finding.version > erased:
            yield f"version {finding.version} {finding.what}"


def _rng(seed: int, part: str) -> random.Random:
    """Each part draws from its own numbers, so that a change of one leaves the others as they were."""
    return random.Random(f"{seed}/{part}")
