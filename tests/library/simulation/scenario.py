"""One seed: a scenario is drawn, played to its end in virtual time, and checked."""

import asyncio
import random
from collections import defaultdict
from typing import NamedTuple

from app.kit.errors import AppError
from tests.library.simulation.checks import Lineage, violations
from tests.library.simulation.fleet import Fleet
from tests.library.simulation.history import Answer, Call, History, Request
from tests.library.simulation.loop import NothingLeftError, VirtualLoop
from tests.library.simulation.machines import KEYS, OWNER, Settings, row_ids
from tests.library.simulation.operators import OPERATORS
from tests.library.simulation.randomness import seeded
from tests.library.simulation.sessions import Background, Habits, Session
from tests.library.simulation.store import Store
from tests.library.simulation.weather import DAY_S, draw_weather

_CALM_PATIENCE_S = 120.0


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


def simulate(seed: int) -> Outcome:
    """The same seed gives the same history, byte for byte, in any process."""
    history = History()
    loop = VirtualLoop(_rng(seed, "threads"))  # type: ignore[abstract]  # no sockets, processes and signals here
    try:
        with seeded(_rng(seed, "secrets")):
            found = loop.run_until_complete(_play(seed, loop, history))
    except NothingLeftError as error:
        found = [f"everything_ends: {error}"]
    finally:
        loop.close()
    found += [f"no_callback_fails: {failure}" for failure in loop.failures]
    return Outcome(seed, found, "\n".join(history.lines))


async def _play(seed: int, loop: VirtualLoop, history: History) -> list[str]:
    rng = _rng(seed, "scenario")
    machines = rng.randrange(2, 5)
    weather = draw_weather(rng, machines)
    settings = Settings(deadline_s=rng.choice((2.0, 10.0)), cache_bytes=rng.choice((1, 2**20, 2**26)))
    history.note(0.0, "scenario", f"{machines} machines, {settings}, {weather}")
    store = Store(loop, _rng(seed, "store"), weather, history)
    fleet = Fleet(store, _rng(seed, "fleet"), weather, settings, machines)
    await _live(rng, World(loop, store, fleet, history, rng), machines)
    return await _settle(World(loop, store, fleet, history, rng))


async def _live(rng: random.Random, world: World, machines: int) -> None:
    """Sessions, jobs and operators, until each is done."""
    habits = Habits(rng, machines)
    home = rng.randrange(machines)
    alone = rng.random() < 0.5
    sessions: list[Session] = [
        Session(f"tab-{number}", home if alone else rng.randrange(machines), world.fleet, world.history, habits)
        for number in range(rng.choice((1, 2, 2, 3, 3)))
    ]
    if rng.random() < 0.4:
        sessions.append(Background(world.fleet, world.history, habits))
    operators = [operator(world.fleet, rng) for operator in OPERATORS if rng.random() < 0.2]
    await asyncio.gather(*(session.run(rng.randrange(1, 5)) for session in sessions), *operators)


async def _settle(world: World) -> list[str]:
    """All faults end and all that was late arrives; then every machine must serve, and agree with a fresh one."""
    world.store.calm = True
    world.fleet.recover()
    end_s = max(world.store.settled_s, world.fleet.settled_s)
    if end_s - world.loop.world_s > DAY_S:
        await _visit(world, end_s)
    await asyncio.sleep(max(0.0, end_s - world.loop.world_s) + _CALM_PATIENCE_S)
    found = await _machines_serve(world)
    try:
        lineage = await _read_lineage(world)
    except AppError as error:
        return [*found, f"the_library_is_readable: {error!r}"]
    return found + violations(world.history.calls, lineage)


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
    """A write and then a read of each; and each ends when it is told to."""
    machines = range(len(world.fleet.machines))
    writer = world.rng.choice(machines)
    asked = [(writer, Request("write", "last", write="last"))]
    asked += [(number, Request("read", "last")) for number in machines]
    found = []
    for number, request in asked:
        answer = await _ask(world, number, request)
        if answer.status != "ok":
            found.append(f"machines_serve_again: m{number} answered a {request.kind} with {answer}")
    for machine in world.fleet.machines:
        if machine is not None and not await machine.run(machine.libraries.close, _CALM_PATIENCE_S):
            found.append(f"machines_close: {machine.name} does not")
    return found


async def _read_lineage(world: World) -> Lineage:
    """As a machine finds it that has nothing cached."""
    commits = defaultdict(set)
    async with world.fleet.fresh().libraries.read(OWNER) as db:
        bases = {row["id"]: int(row["opponent"]) for row in db.execute("SELECT id, opponent FROM games")}
        rows = tuple((row, bases[row]) for row in row_ids(db))
        for version, session in db.execute("SELECT version, session FROM commits"):
            commits[version].add(session)
    created_s = {KEYS.log_seq(key): moments for key, moments in world.store.created_s.items() if "/log/" in key}
    return Lineage(rows, {version: frozenset(sessions) for version, sessions in commits.items()}, created_s)


def _rng(seed: int, part: str) -> random.Random:
    """Each part draws from its own numbers, so that a change of one leaves the others as they were."""
    return random.Random(f"{seed}/{part}")
