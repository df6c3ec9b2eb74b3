"""Libraries made ready in a store: filled by one commit, then changed for two days, so that they do not grow later."""

import asyncio
from collections.abc import Iterable

from app.kit.owner import Owner, parse_owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.storage.keys import Keys
from app.storage.port import ObjectStore
from bench.library.contents import Contents, Filled, contents, image_bytes
from bench.library.session import Desk, Hours, Session
from tests.app.memory_storage import MemoryObjects

KEYS = Keys("bench")
SMALL, LARGE = 216_000, 5_000_000
_CHANGES = 52
# What those changes add to the image: answers and commits.
_CHANGES_BYTES = 35_000
_AT_ONCE = 16


def owner_of(user_id: str) -> Owner:
    return parse_owner(user_id, "default")


async def stock(objects: ObjectStore, user_id: str, size_bytes: int) -> Desk:
    """A library whose image has about `size_bytes`, at least 170 KB."""
    memory, clock, owner = MemoryObjects(), Hours(), owner_of(user_id)
    filling = contents(size_bytes - _CHANGES_BYTES)
    libraries = Libraries(memory, KEYS, clock=clock)
    await fill(libraries, owner, filling)
    desk = Desk(owner, dict.fromkeys(filling.clip_ids, 1), clock)
    session = Session(libraries, desk)
    for _ in range(_CHANGES):
        await session.change()
    await libraries.close()
    await _copy(memory.bodies.items(), objects)
    return desk


async def fill(libraries: Libraries, owner: Owner, filling: Contents) -> None:
    await libraries.commit(owner, Intent("ses-fill"), filling.fill, Filled)


async def image_of(objects: ObjectStore, owner: Owner) -> bytes:
    """The library's database as a file."""
    libraries = Libraries(objects, KEYS)
    async with libraries.read(owner) as db:
        image = db.serialize()
        assert len(image) == image_bytes(db)
    await libraries.close()
    return image


async def _copy(bodies: Iterable[tuple[str, bytes]], objects: ObjectStore) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(key: str, body: bytes) -> None:
        async with room:
            await objects.create(key, body)

    await asyncio.gather(*(one(key, body) for key, body in bodies))
