"""How many requests the stand-in gets for a read, a write and a cold open."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from app.library.libraries import Libraries
from bench.figure import Figure
from bench.library.goals import within
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk, Session
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, LARGE, SMALL, stock

_TIMES = 10


class Requests(NamedTuple):
    """A piece each: a warm read, a warm write, a cold open."""

    read: float
    write: float
    cold_open: float


async def measure(stand_in: StandIn) -> list[Figure]:
    objects = MeasuredStore(stand_in.settings)
    small = await _counted(stand_in, objects, await stock(objects, "requests-small", SMALL))
    large = await _counted(stand_in, objects, await stock(objects, "requests-large", LARGE))
    return [
        _figure("warm read, 216 KB", small.read, 1),
        _figure("write, 216 KB", small.write, 1),
        _figure("cold open, 216 KB", small.cold_open, 2),
        _figure("warm read, 5 MB", large.read, 1),
        _figure("write, 5 MB", large.write, 1),
        _figure("cold open, 5 MB: LIST, a delta record and its base", large.cold_open, 3),
    ]


def _figure(what: str, value: float, goal: float) -> Figure:
    return within(f"requests of a {what}, against the goal", value, "requests", goal, goal)


async def _counted(stand_in: StandIn, objects: MeasuredStore, desk: Desk) -> Requests:
    libraries = Libraries(objects, KEYS, clock=desk.clock)
    session = Session(libraries, desk)

    async def read() -> None:
        async with libraries.read(desk.owner):
            pass

    async def cold_open() -> None:
        cold = Libraries(objects, KEYS)
        async with cold.read(desk.owner):
            pass
        await cold.close()

    await read()
    counted = Requests(
        read=await _per_call(stand_in, read),
        write=await _per_call(stand_in, session.change),
        cold_open=await _per_call(stand_in, cold_open),
    )
    await libraries.close()
    return counted


async def _per_call(stand_in: StandIn, call: Callable[[], Awaitable[None]]) -> float:
    stand_in.calls()
    for _ in range(_TIMES):
        await call()
    return stand_in.calls() / _TIMES
