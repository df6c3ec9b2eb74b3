"""What a small change weighs: bytes uploaded and CPU time, against SQLite on a local file uploaded by boto3."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app.library.libraries import Libraries
from bench.figure import Figure
from bench.library.goals import within
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk, Hours, Session
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, LARGE, SMALL, image_of, stock
from bench.library.uploaded import UploadedLibraries

_USERS = 8
_BLOCKS = 4
_CHANGES = 32
_UPLOADS = 8
_CPU_LIMIT = 0.5
_SMALL_GOAL_KB, _LARGE_GOAL_KB = 70.0, 64.0
_FULL_EVERY = 64
_KB, _MS = 1000.0, 1000.0
_FULL = b'"kind":"full"'
_HEADER_BYTES = 2000


class Weight(NamedTuple):
    """Means over all changes, full records included; `image_bytes` is the file that the baseline uploads."""

    uploaded_bytes: float
    image_bytes: int
    cpu_s: float
    baseline_cpu_s: float
    longest_run: int


async def measure(stand_in: StandIn) -> list[Figure]:
    return [
        *_figures("216 KB", await _weigh(stand_in, "weight-small", SMALL), _SMALL_GOAL_KB),
        *_figures("5 MB", await _weigh(stand_in, "weight-large", LARGE), _LARGE_GOAL_KB),
    ]


def _figures(size: str, weight: Weight, goal_kb: float) -> Iterator[Figure]:
    yield within(
        f"uploaded a small change, {size}, at most {goal_kb:.0f} KB, against the whole file",
        weight.uploaded_bytes / _KB,
        "KB",
        weight.image_bytes / _KB,
        goal_kb,
    )
    yield within(f"records from one full record to the next, {size}", weight.longest_run, "records", 64, _FULL_EVERY)
    yield Figure(
        f"CPU of a write, {size}, {_USERS} users at once, against SQLite on a file and boto3",
        weight.cpu_s * _MS,
        "ms",
        weight.baseline_cpu_s * _MS,
        limit=_CPU_LIMIT,
        at_most=True,
    )


async def _weigh(stand_in: StandIn, user_id: str, size_bytes: int) -> Weight:
    """CPU counts where there is none to spare: users write at once, theirs and ours by turns."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        users = [
            await _User.arrive(stand_in, f"{user_id}-{number}", size_bytes, Path(scratch)) for number in range(_USERS)
        ]
        pairs = [
            (
                await _cpu_s([user.ours for user in users], _CHANGES),
                await _cpu_s([user.theirs for user in users], _UPLOADS),
            )
            for _ in range(_BLOCKS)
        ]
        for user in users:
            await user.leave()
    cpu_s, baseline_cpu_s = (sum(each) for each in zip(*pairs, strict=True))
    bodies = [body for user in users for body in user.objects.bodies]
    return Weight(
        uploaded_bytes=sum(map(len, bodies)) / len(bodies),
        image_bytes=users[0].image_bytes,
        cpu_s=cpu_s / (_BLOCKS * _CHANGES * _USERS),
        baseline_cpu_s=baseline_cpu_s / (_BLOCKS * _UPLOADS * _USERS),
        longest_run=max(longest_run(user.objects.bodies) for user in users),
    )


class _User(NamedTuple):
    """One library twice: as ours, and as a file that is uploaded; both have had a first change."""

    objects: MeasuredStore
    libraries: Libraries
    uploaded: UploadedLibraries
    ours: Session
    theirs: Session
    image_bytes: int

    @classmethod
    async def arrive(cls, stand_in: StandIn, user_id: str, size_bytes: int, folder: Path) -> "_User":
        objects = MeasuredStore(stand_in.settings)
        desk = await stock(objects, user_id, size_bytes)
        image = await image_of(objects, desk.owner)
        libraries = Libraries(objects, KEYS, clock=desk.clock)
        file = folder / f"{user_id}.sqlite"
        file.write_bytes(image)
        uploaded = UploadedLibraries(stand_in.settings, KEYS, file)
        ours = Session(libraries, desk)
        theirs = Session(uploaded, Desk(desk.owner, dict(desk.revisions), Hours()))
        await ours.change()
        await theirs.change()
        objects.forget()
        return cls(objects, libraries, uploaded, ours, theirs, len(image))

    async def leave(self) -> None:
        await self.uploaded.close()
        await self.libraries.close()


async def _cpu_s(sessions: Sequence[Session], changes: int) -> float:
    """User and system time of all threads of this process; each session makes so many changes, one after the other."""

    async def make(session: Session) -> None:
        for _ in range(changes):
            await session.change()

    begun = time.process_time()
    await asyncio.gather(*map(make, sessions))
    return time.process_time() - begun


def longest_run(records: Sequence[bytes]) -> int:
    """Most records in a row of which only the first may be full."""
    longest = run = 0
    for record in records:
        run = 1 if _FULL in record[:_HEADER_BYTES] else run + 1
        longest = max(longest, run)
    return longest
