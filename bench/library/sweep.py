"""What the plots show: one library at many sizes, and many users at one size."""

import statistics
import time
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from app.library.libraries import Libraries
from bench.library.cold_open import medians_s
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk, Session
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, SMALL, image_of, stock
from bench.library.swapped import SwappedLibraries
from bench.library.throughput import WRITERS, acknowledged_per_s, swapped_desk, swapped_per_s, writers

SIZES = (170_000, SMALL, 350_000, 500_000, 800_000, 1_300_000, 2_500_000, 5_000_000, 10_000_000)
USERS = (1, 2, 4, 8, 16, 32, 64)
_CHANGES = 128
_COLD_OPENS = 9
_WINDOW_S = 3.0
_SWAPPED_WINDOW_S = 6.0


class SizePoint(NamedTuple):
    """Bytes are means, seconds are medians; `put_s` and `gets_s` are the bare requests of the same bytes."""

    image_bytes: int
    write_bytes: float
    write_s: float
    put_s: float
    cold_open_bytes: float
    cold_open_s: float
    gets_s: float


class UsersPoint(NamedTuple):
    """Acknowledged writes a second of all users together; `swapped` has one key a user."""

    users: int
    one_writer: float
    eight_writers: float
    swapped: float


async def over_sizes(stand_in: StandIn) -> AsyncIterator[SizePoint]:
    objects = MeasuredStore(stand_in.settings)
    for size_bytes in SIZES:
        yield await _size_point(objects, await stock(objects, f"size-{size_bytes}", size_bytes))


async def over_users(stand_in: StandIn) -> AsyncIterator[UsersPoint]:
    """Each user's library has 216 KB; every user writes without a pause."""
    objects = MeasuredStore(stand_in.settings)
    desks = [await stock(objects, f"user-{number}", SMALL) for number in range(max(USERS))]
    swapped = SwappedLibraries(objects, KEYS)
    others = [await swapped_desk(swapped, objects, desk) for desk in desks]
    libraries = [Libraries(objects, KEYS, clock=desk.clock) for desk in desks]
    for users in USERS:
        yield UsersPoint(
            users,
            one_writer=await _rate(libraries[:users], desks, 1),
            eight_writers=await _rate(libraries[:users], desks, WRITERS),
            swapped=await swapped_per_s(swapped, _sessions([swapped] * users, others, 1), _SWAPPED_WINDOW_S),
        )
        objects.forget()
    for each in (*libraries, swapped):
        await each.close()


async def _size_point(objects: MeasuredStore, desk: Desk) -> SizePoint:
    image_bytes = len(await image_of(objects, desk.owner))
    cold_open_s, gets_s = await medians_s(objects, desk, _COLD_OPENS)
    # `medians_s` leaves its last opening there: half of what was received, the other half are the bare requests.
    cold_open_bytes = objects.received_bytes / 2
    libraries = Libraries(objects, KEYS, clock=desk.clock)
    session = Session(libraries, desk)
    await session.change()
    objects.forget()
    writes, puts, sent = [], [], 0
    for number in range(_CHANGES):
        begun = time.perf_counter()
        await session.change()
        writes.append(time.perf_counter() - begun)
        body = objects.bodies[-1]
        sent += len(body)
        if number % 8 == 0:
            begun = time.perf_counter()
            await objects.create(f"bench/bare/{desk.owner.user_id}/{number}", body)
            puts.append(time.perf_counter() - begun)
    await libraries.close()
    return SizePoint(
        image_bytes=image_bytes,
        write_bytes=sent / _CHANGES,
        write_s=statistics.median(writes),
        put_s=statistics.median(puts),
        cold_open_bytes=cold_open_bytes,
        cold_open_s=cold_open_s,
        gets_s=gets_s,
    )


async def _rate(libraries: Sequence[Libraries], desks: Sequence[Desk], writers_each: int) -> float:
    sessions = _sessions(libraries, desks, writers_each)
    await acknowledged_per_s(sessions, 0)
    return await acknowledged_per_s(sessions, _WINDOW_S)


def _sessions(libraries: Sequence[Libraries], desks: Sequence[Desk], writers_each: int) -> list[Session]:
    """Each user's, on that user's libraries: the clock of a desk is its own."""
    return [
        session for each, desk in zip(libraries, desks, strict=False) for session in writers(each, desk, writers_each)
    ]
