"""Acknowledged writes a second of one user with eight writers, against a swap of one key."""

import asyncio
import statistics
from collections.abc import Sequence

from app.library.libraries import Libraries
from bench.figure import Figure
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk, Hours, Session
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, SMALL, image_of, stock
from bench.library.swapped import GaveUpError, SwappedLibraries

WRITERS = 8
_ROUNDS = 3
_WINDOW_S = 1.5
_SWAPPED_WINDOW_S = 5.0
_FASTER = 15.0


async def measure(stand_in: StandIn) -> list[Figure]:
    objects = MeasuredStore(stand_in.settings)
    desk = await stock(objects, "throughput", SMALL)
    libraries, swapped = Libraries(objects, KEYS, clock=desk.clock), SwappedLibraries(objects, KEYS)
    other = await swapped_desk(swapped, objects, desk)
    ours, theirs = writers(libraries, desk, WRITERS), writers(swapped, other, WRITERS)
    await ours[0].change()
    await theirs[0].change()
    pairs = [
        (await acknowledged_per_s(ours, _WINDOW_S), await swapped_per_s(swapped, theirs, _SWAPPED_WINDOW_S))
        for _ in range(_ROUNDS)
    ]
    await libraries.close()
    await swapped.close()
    value, baseline = (statistics.median(each) for each in zip(*pairs, strict=True))
    name = "acknowledged writes, 8 writers in one session, 216 KB, against compare-and-swap of one key"
    return [Figure(name, value, "writes/s", baseline, limit=_FASTER, at_most=False)]


async def swapped_desk(swapped: SwappedLibraries, objects: MeasuredStore, desk: Desk) -> Desk:
    """The same library for the baseline, under its one key."""
    await swapped.found(desk.owner, await image_of(objects, desk.owner))
    return Desk(desk.owner, dict(desk.revisions), Hours())


def writers(libraries: Libraries, desk: Desk, count: int) -> list[Session]:
    """Sessions that share the clips among themselves."""
    return [Session(libraries, desk, (index, count)) for index in range(count)]


async def swapped_per_s(swapped: SwappedLibraries, sessions: Sequence[Session], window_s: float) -> float:
    """The same for the baseline, whose last writers would wait for seconds."""
    swapped.give_up_at = asyncio.get_running_loop().time() + window_s
    return await acknowledged_per_s(sessions, window_s)


async def acknowledged_per_s(sessions: Sequence[Session], window_s: float) -> float:
    """All write without a pause; what is acknowledged within the window counts. A window of 0 s is one write each."""
    loop = asyncio.get_running_loop()
    end = loop.time() + window_s
    acknowledged = 0

    async def write(session: Session) -> None:
        nonlocal acknowledged
        while True:
            try:
                await session.change()
            except GaveUpError:
                return
            if loop.time() >= end:
                return
            acknowledged += 1

    await asyncio.gather(*(write(session) for session in sessions))
    return acknowledged / window_s if window_s else 0.0
