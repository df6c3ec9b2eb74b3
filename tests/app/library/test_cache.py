"""What is kept in memory is bounded in bytes; giving it up costs a cold open and nothing else."""

import asyncio
from typing import Any, cast

import pytest

from app.kit.errors import NotFoundError
from app.kit.owner import Owner
from app.library.cache import Cache
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.library import Library
from tests.app.library.held import HeldObjects
from tests.app.library.notes import KEYS, Note, add, read
from tests.app.memory_storage import MemoryObjects

TAB_1 = Intent("tab-1")
OWNERS = [Owner(f"u{n}", "default") for n in range(8)]
A, B, C = OWNERS[:3]


class Sized:
    """As much of a Library as the cache sees: an image of 100 bytes, and 50 for each of two connections."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.is_busy = False
        self.image = 100
        self.open_connections = 2
        self.connections = self

    @property
    def held_bytes(self) -> int:
        return self.image + 50 * self.open_connections

    def drop(self) -> None:
        self.open_connections = 0


def cache_of(max_bytes: int) -> Cache:
    return Cache(cast(Any, Sized), max_bytes)


def sized(cache: Cache, owner: Owner) -> Sized:
    return cast(Sized, cache.get(owner))


def used(cache: Cache, *owners: Owner) -> list[Sized]:
    libraries = []
    for owner in owners:
        libraries.append(sized(cache, owner))
        cache.settle(owner)
    return libraries


def kept(cache: Cache) -> dict[str, int]:
    """Bytes by user."""
    return {cast(Any, library).owner.user_id: library.held_bytes for library in cache.all()}


def test_what_fits_stays() -> None:
    cache = cache_of(600)
    used(cache, A, B, C)
    assert kept(cache) == {"u0": 200, "u1": 200, "u2": 200}
    assert cache.held_bytes == 600


def test_connections_go_before_images_and_the_least_recently_used_first() -> None:
    cache = cache_of(550)
    used(cache, A, B, C)
    assert kept(cache) == {"u0": 100, "u1": 200, "u2": 200}
    used(cache, OWNERS[3])
    assert kept(cache) == {"u0": 100, "u1": 100, "u2": 100, "u3": 200}
    used(cache, OWNERS[4])
    assert kept(cache) == {"u0": 100, "u1": 100, "u2": 100, "u3": 100, "u4": 100}
    used(cache, OWNERS[5])
    assert kept(cache) == {"u1": 100, "u2": 100, "u3": 100, "u4": 100, "u5": 100}
    assert cache.held_bytes == 500


def test_connections_are_kept_for_the_latest_few_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.cache._MAX_CONNECTED", 2)
    cache = cache_of(10**6)
    used(cache, A, B, A, C)
    assert kept(cache) == {"u0": 200, "u1": 100, "u2": 200}
    sized(cache, A).is_busy = True
    used(cache, OWNERS[3], OWNERS[4])
    assert kept(cache) == {"u0": 200, "u1": 100, "u2": 100, "u3": 100, "u4": 200}, "not while it is used"
    assert cache.held_bytes == 700


def test_a_use_makes_a_library_the_last_to_go() -> None:
    cache = cache_of(500)
    used(cache, A, B, A)
    used(cache, C)
    assert kept(cache) == {"u1": 100, "u0": 200, "u2": 200}
    cache = cache_of(250)
    used(cache, A, B, A)
    used(cache, C)
    assert kept(cache) == {"u0": 100, "u2": 100}


def test_a_busy_library_is_never_given_up() -> None:
    cache = cache_of(0)
    busy = sized(cache, A)
    busy.is_busy = True
    used(cache, B, C)
    assert kept(cache) == {"u0": 200}
    assert busy.open_connections == 2
    busy.is_busy = False
    cache.settle(A)
    assert kept(cache) == {}
    assert cache.held_bytes == 0


def test_what_grows_or_shrinks_is_counted_again() -> None:
    cache = cache_of(1000)
    (library,) = used(cache, A)
    library.image = 700
    cache.settle(A)
    assert cache.held_bytes == 800
    library.image = 1
    cache.settle(A)
    assert cache.held_bytes == 101
    library.image = 2000
    cache.settle(A)
    assert cache.all() == []


def test_a_library_is_made_once_while_it_is_kept() -> None:
    cache = cache_of(200)
    first = cache.get(A)
    cache.settle(A)
    assert cache.get(A) is first
    used(cache, B, C)
    assert cache.get(A) is not first


def of(libraries: Libraries, owner: Owner) -> Library:
    return libraries._cache.get(owner)


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


async def room_for(objects: MemoryObjects, count: float) -> Libraries:
    """For so many libraries with one row, their connections open."""
    probe = Libraries(objects, KEYS)
    await probe.commit(OWNERS[7], TAB_1, add("1"), Note)
    await read(probe, OWNERS[7])
    return Libraries(objects, KEYS, cache_bytes=int(probe._cache.held_bytes * count))


async def test_many_libraries_stay_within_the_bound_and_lose_nothing(objects: MemoryObjects) -> None:
    libraries = await room_for(objects, 2.5)
    bound = libraries._cache._max_bytes
    for name in "123":
        for owner in OWNERS[:7]:
            await libraries.commit(owner, TAB_1, add(name), Note)
            assert sum(library.held_bytes for library in libraries._cache.all()) <= bound
            assert await read(libraries, owner) == list("123"[: int(name)])
            assert sum(library.held_bytes for library in libraries._cache.all()) <= bound


async def test_who_was_given_up_costs_one_cold_open(objects: MemoryObjects) -> None:
    libraries = await room_for(objects, 1.2)
    for owner in OWNERS[:7]:
        await libraries.commit(owner, TAB_1, add("1"), Note)
    objects.calls.clear()
    assert await read(libraries, A) == ["1"]
    assert [call for call, _ in objects.calls] == ["list", "get"]
    objects.calls.clear()
    assert await read(libraries, A) == ["1"]
    assert [call for call, _ in objects.calls] == ["get"]


async def test_a_library_that_lost_its_connections_is_still_warm(objects: MemoryObjects) -> None:
    libraries = await room_for(objects, 1.2)
    await libraries.commit(A, TAB_1, add("1"), Note)
    await read(libraries, A)
    await libraries.commit(B, TAB_1, add("1"), Note)
    assert of(libraries, A).connections.open_count == 0
    objects.calls.clear()
    assert await libraries.commit(A, TAB_1, add("2"), Note) == Note(id="2", rows=2)
    assert [call for call, _ in objects.calls] == ["create"]


async def test_a_commit_under_way_keeps_its_library() -> None:
    objects = HeldObjects()
    libraries = Libraries(objects, KEYS, cache_bytes=0)
    objects.hold("create")
    committing = asyncio.create_task(libraries.commit(A, TAB_1, add("1"), Note))
    await objects.held("create")
    library = of(libraries, A)
    await read(libraries, B)
    assert libraries._cache.all() == [library]
    objects.release("create")
    await committing
    assert libraries._cache.all() == []
    assert await read(libraries, A) == ["1"]


async def test_a_look_under_way_keeps_its_library() -> None:
    objects = HeldObjects()
    libraries = Libraries(objects, KEYS, cache_bytes=-1)
    objects.hold("list")
    reading = asyncio.create_task(read(libraries, A))
    await objects.held("list")
    library = of(libraries, A)
    libraries._cache.settle(B)
    assert libraries._cache.all() == [library]
    objects.release("list")
    await reading
    assert libraries._cache.all() == []


async def test_a_snapshot_outlives_its_library(objects: MemoryObjects) -> None:
    libraries = Libraries(objects, KEYS, cache_bytes=0)
    await libraries.commit(A, TAB_1, add("1"), Note)
    async with libraries.read(A) as db:
        await libraries.commit(A, TAB_1, add("2"), Note)
        assert [row["id"] for row in db.execute("SELECT id FROM games")] == ["1"]
    assert libraries._cache.all() == []


def refuse(_: object) -> Note:
    raise NotFoundError("no")


async def test_a_refused_write_is_counted_as_well(objects: MemoryObjects) -> None:
    """What a library holds in memory does not depend on how its last use ended."""
    libraries = await room_for(objects, 1.2)
    for owner in OWNERS:
        with pytest.raises(NotFoundError):
            await libraries.commit(owner, TAB_1, refuse, Note)
    assert sum(library.held_bytes for library in libraries._cache.all()) <= libraries._cache._max_bytes


async def test_a_read_whose_caller_leaves_is_counted_as_well() -> None:
    objects = HeldObjects()
    libraries = await room_for(objects, 1.2)
    for number, owner in enumerate(OWNERS, start=1):
        objects.hold("list")
        reading = asyncio.create_task(read(libraries, owner))
        await objects.held("list", times=number)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        objects.release("list")
        await of(libraries, owner).fresh()
    await read(libraries, OWNERS[0])
    assert sum(library.held_bytes for library in libraries._cache.all()) <= libraries._cache._max_bytes
