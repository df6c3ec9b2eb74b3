"""What a small change weighs: bytes uploaded and CPU time, against SQLite on a local file uploaded by boto3."""

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

_BLOCKS = 8
_CHANGES = 16
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
        f"CPU of a write, {size}, against SQLite on a file and boto3",
        weight.cpu_s * _MS,
        "ms",
        weight.baseline_cpu_s * _MS,
        limit=_CPU_LIMIT,
        at_most=True,
    )


async def _weigh(stand_in: StandIn, user_id: str, size_bytes: int) -> Weight:
    objects = MeasuredStore(stand_in.settings)
    desk = await stock(objects, user_id, size_bytes)
    image = await image_of(objects, desk.owner)
    libraries = Libraries(objects, KEYS, clock=desk.clock)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        file = Path(scratch) / "database.sqlite"
        file.write_bytes(image)
        uploaded = UploadedLibraries(stand_in.settings, KEYS, file)
        ours = Session(libraries, desk)
        theirs = Session(uploaded, Desk(desk.owner, dict(desk.revisions), Hours()))
        await ours.change()
        await theirs.change()
        objects.forget()
        pairs = [(await _cpu_s(ours, _CHANGES), await _cpu_s(theirs, _UPLOADS)) for _ in range(_BLOCKS)]
        await uploaded.close()
    await libraries.close()
    cpu_s, baseline_cpu_s = (sum(each) for each in zip(*pairs, strict=True))
    return Weight(
        uploaded_bytes=sum(map(len, objects.bodies)) / (_BLOCKS * _CHANGES),
        image_bytes=len(image),
        cpu_s=cpu_s / (_BLOCKS * _CHANGES),
        baseline_cpu_s=baseline_cpu_s / (_BLOCKS * _UPLOADS),
        longest_run=longest_run(objects.bodies),
    )


async def _cpu_s(session: Session, changes: int) -> float:
    """User and system time of all threads of this process."""
    begun = time.process_time()
    for _ in range(changes):
        await session.change()
    return time.process_time() - begun


def longest_run(records: Sequence[bytes]) -> int:
    """Most records in a row of which only the first may be full."""
    longest = run = 0
    for record in records:
        run = 1 if _FULL in record[:_HEADER_BYTES] else run + 1
        longest = max(longest, run)
    return longest
