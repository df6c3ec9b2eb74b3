"""The baseline of writes under one key loses nothing and ends when it is told to."""

import asyncio
import sqlite3

import pytest
import zstandard

from bench.library.session import Desk
from bench.library.stock import KEYS, SMALL, image_of, stock
from bench.library.swapped import GaveUpError, SwappedLibraries
from bench.library.throughput import writers
from tests.app.memory_storage import MemoryObjects

WRITERS = 8


async def started(objects: MemoryObjects) -> tuple[SwappedLibraries, Desk]:
    desk = await stock(objects, "a", SMALL)
    swapped = SwappedLibraries(objects, KEYS)
    await swapped.found(desk.owner, await image_of(objects, desk.owner))
    return swapped, desk


async def test_what_eight_writers_were_told_is_there() -> None:
    objects = MemoryObjects()
    swapped, desk = await started(objects)
    before = sum(desk.revisions.values())
    await asyncio.gather(*(session.change() for session in writers(swapped, desk, WRITERS)))
    assert sum(desk.revisions.values()) == before + WRITERS
    assert objects.count("replace") > WRITERS, "nobody had to try again"
    db = sqlite3.connect(":memory:")
    db.deserialize(zstandard.decompress(objects.bodies[KEYS.legacy_database(desk.owner)]))
    assert dict(db.execute("SELECT id, revision FROM clips").fetchall()) == desk.revisions


async def test_it_gives_up_once_the_measuring_is_over() -> None:
    objects = MemoryObjects()
    swapped, desk = await started(objects)
    objects.fault = lambda call, key: "before" if call == "replace" else None
    swapped.give_up_at = asyncio.get_running_loop().time()
    with pytest.raises(GaveUpError):
        await writers(swapped, desk, 1)[0].change()
