import random
import sqlite3
import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.kit.clock import now
from app.library.erase import Eraser
from app.library.head import Commit, Head, empty_head, next_head
from app.library.image import open_copy
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.record import Header, Kind, Place, encode, parse
from app.library.restore import Restore
from app.library.retention import Retention, tombstone_of
from app.library.verify import Finding, Verification
from app.library.versions import end_after, numbered
from tests.app.library.notes import KEYS, OWNER, Note, add, opened
from tests.app.memory_storage import MemoryObjects

TAB = Intent("tab-1")
LARGE_BYTES = 1_200_000


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


async def findings(objects: MemoryObjects) -> list[Finding]:
    return [finding async for finding in Verification(objects, KEYS, OWNER).findings()]


async def numbers_and_reasons(objects: MemoryObjects) -> list[tuple[int, str]]:
    return [(finding.version, finding.what) for finding in await findings(objects)]


def key(number: int, generation: int = 0) -> str:
    return KEYS.log_record(OWNER, generation, number)


def large(seed: int) -> Callable[[sqlite3.Connection], Note]:
    """Makes a library whose next records are deltas."""

    def handler(db: sqlite3.Connection) -> Note:
        text = random.Random(seed).randbytes(LARGE_BYTES // 2).hex()
        db.execute("INSERT INTO games VALUES ('large', ?, '2026-01-01', 'home', '')", (text,))
        return Note(id="large", rows=1)

    return handler


async def written(objects: MemoryObjects, count: int) -> Libraries:
    libraries = opened(objects)
    for number in range(1, count + 1):
        await libraries.commit(OWNER, TAB, add(str(number)), Note)
    return libraries


async def written_large(objects: MemoryObjects, count: int) -> Libraries:
    """Versions 2 to `count` are deltas on version 1."""
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, large(7), Note)
    for number in range(2, count + 1):
        await libraries.commit(OWNER, TAB, add(str(number)), Note)
    assert kinds(objects) == ["full"] + ["delta"] * (count - 1)
    return libraries


def kinds(objects: MemoryObjects) -> list[Kind]:
    places = sorted((Place(OWNER, 0, KEYS.log_seq(each)), each) for each in objects.bodies)
    return [parse(objects.bodies[each], place).header.kind for place, each in places]


def head_at(objects: MemoryObjects, number: int) -> Head:
    """Where the log goes on behind a record; its image does not count."""
    return end_after(Place(OWNER, 0, number), objects.bodies[key(number)])


def bury(objects: MemoryObjects, number: int) -> None:
    record = parse(objects.bodies[key(number)], Place(OWNER, 0, number))
    objects.bodies[key(number)] = tombstone_of(record.header, record.sha256, with_writers=True)


def change(objects: MemoryObjects, number: int, changes: Callable[[Header], dict[str, object]]) -> None:
    record = parse(objects.bodies[key(number)], Place(OWNER, 0, number))
    header = record.header.model_copy(update=changes(record.header))
    objects.bodies[key(number)] = encode(header, record.base, record.patches)


async def test_a_library_that_was_never_written_is_sound(objects: MemoryObjects) -> None:
    assert await findings(objects) == []


async def test_records_of_all_kinds_are_sound(objects: MemoryObjects) -> None:
    objects.clock = lambda: now() - timedelta(days=3)
    libraries = await written_large(objects, 4)
    objects.clock = now
    await libraries.commit(OWNER, TAB, add("5"), Note)
    assert await Retention(objects, KEYS, OWNER, now).apply(0) == 2
    one = Restore(objects, KEYS, OWNER, now)
    await one.append(numbered(await one.versions(), 4))
    assert kinds(objects) == ["full", "tombstone", "tombstone", "delta", "delta", "full"]
    assert await findings(objects) == []
    await Eraser(objects, KEYS, OWNER.user_id, now).erase()
    await opened(objects).commit(OWNER, TAB, add("1"), Note)
    assert await findings(objects) == []


async def test_a_swept_generation_is_sound(objects: MemoryObjects) -> None:
    await written(objects, 3)
    for clock in (now, lambda: now() + timedelta(hours=49)):
        await Eraser(objects, KEYS, OWNER.user_id, clock).erase()
    assert kinds(objects) == ["tombstone"] * 3 + ["erased"]
    assert await findings(objects) == []


async def test_a_truncated_record(objects: MemoryObjects) -> None:
    await written(objects, 3)
    objects.bodies[key(2)] = objects.bodies[key(2)][:-1]
    damaged, broken = await findings(objects)
    assert damaged == Finding(
        2,
        "record 2 of library a/default does not decode",
        "it cannot be restored any more; later versions are looked at by themselves",
    )
    assert (broken.version, broken.what) == (3, "does not continue the record before it: one of the two was changed")


async def test_the_newest_record_damaged_names_the_one_to_restore(objects: MemoryObjects) -> None:
    await written(objects, 4)
    bury(objects, 3)
    objects.bodies[key(4)] = b""
    (finding,) = await findings(objects)
    assert (finding.version, finding.advice) == (4, "run `restore --version 2`")


async def test_no_sound_version(objects: MemoryObjects) -> None:
    await written(objects, 1)
    objects.bodies[key(1)] = b"x"
    (finding,) = await findings(objects)
    assert finding.advice.startswith("no version is sound")


async def test_a_missing_record(objects: MemoryObjects) -> None:
    await written(objects, 4)
    del objects.bodies[key(3)]
    assert await numbers_and_reasons(objects) == [(4, "was to be version 3: records before it are missing")]
    del objects.bodies[key(1)]
    assert [version for version, _ in await numbers_and_reasons(objects)] == [2, 4]


async def test_a_record_that_continues_another(objects: MemoryObjects) -> None:
    await written(objects, 3)
    change(objects, 3, lambda header: {"prev_sha256": "0" * 64})
    reason = "does not continue the record before it: one of the two was changed"
    assert await numbers_and_reasons(objects) == [(3, reason)]


async def test_the_chain_goes_through_tombstones(objects: MemoryObjects) -> None:
    await written(objects, 3)
    bury(objects, 2)
    assert await findings(objects) == []
    change(objects, 2, lambda header: {"buried_sha256": "0" * 64})
    assert [version for version, _ in await numbers_and_reasons(objects)] == [3]
    bury(objects, 1)
    change(objects, 2, lambda header: {"prev_sha256": "0" * 64})
    assert [version for version, _ in await numbers_and_reasons(objects)] == [2, 3]


async def test_an_image_that_is_not_the_one_of_the_hash(objects: MemoryObjects) -> None:
    await written(objects, 2)
    change(objects, 2, lambda header: {"image_root": "0" * 64})
    assert (2, "record 2 of library a/default does not match its hash") in await numbers_and_reasons(objects)


async def test_a_patch_that_does_not_apply(objects: MemoryObjects) -> None:
    await written(objects, 2)
    body = bytearray(objects.bodies[key(2)])
    body[-3] ^= 255
    objects.bodies[key(2)] = bytes(body)
    ((version, what),) = await numbers_and_reasons(objects)
    assert version == 2
    assert "does not unpack" in what or "does not match its hash" in what


async def test_a_delta_whose_base_is_gone(objects: MemoryObjects) -> None:
    await written_large(objects, 3)
    bury(objects, 1)
    expected = "its base, version 1, was given up"
    assert await numbers_and_reasons(objects) == [(2, expected), (3, expected)]
    del objects.bodies[key(1)]
    expected = "its base, version 1, is not there"
    assert [what for _, what in await numbers_and_reasons(objects) if "base" in what] == [expected] * 2


async def test_a_delta_on_another_base(objects: MemoryObjects) -> None:
    await written_large(objects, 2)
    change(objects, 2, lambda header: {"base_sha256": "0" * 64})
    reason = "record 1 of library a/default is not the base that a later record names"
    assert await numbers_and_reasons(objects) == [(2, reason)]


async def test_a_newest_image_that_is_corrupt(objects: MemoryObjects) -> None:
    """Its hash is right: it was written so."""
    await written(objects, 1)
    connection = open_copy(b"")
    image = bytearray(connection.serialize())
    connection.close()
    image[4096:4100] = b"\xff\xff\xff\xff"
    _, objects.bodies[key(2)] = next_head(head_at(objects, 1), bytes(image), Commit(("tab-1",), ""))
    (finding,) = await findings(objects)
    assert finding.version == 2
    assert finding.what.startswith(("is corrupt", "is no database"))
    assert finding.advice == "run `restore --version 1`"


async def test_a_newest_image_of_another_schema_than_it_says(objects: MemoryObjects) -> None:
    connection = open_copy(b"")
    connection.execute("PRAGMA user_version=1")
    _, objects.bodies[key(1)] = next_head(empty_head(OWNER), connection.serialize(), Commit((), ""))
    connection.close()
    ((_, what),) = await numbers_and_reasons(objects)
    assert what.startswith("holds schema 1, not ")


async def test_a_schema_of_a_newer_release(objects: MemoryObjects) -> None:
    await written(objects, 2)
    change(objects, 2, lambda header: {"schema_version": 99})
    (finding,) = await findings(objects)
    assert (finding.version, finding.advice) == (2, "verify with the release that wrote it")
    objects.bodies[key(2)] = objects.bodies[key(2)].replace(b"RBLIB2", b"RBLIB3")
    (finding,) = await findings(objects)
    assert finding.advice == "verify with the release that wrote it"


async def test_content_left_in_an_erased_generation(objects: MemoryObjects) -> None:
    await written(objects, 2)
    left = objects.bodies[key(1)]
    await Eraser(objects, KEYS, OWNER.user_id, now).erase()
    objects.bodies[key(1)] = left
    assert await findings(objects) == [Finding(1, "has content, though it was erased", "run `erase` again")]


async def test_a_generation_behind_one_that_has_not_ended(objects: MemoryObjects) -> None:
    await written(objects, 2)
    await Eraser(objects, KEYS, OWNER.user_id, now).erase()
    await opened(objects).commit(OWNER, TAB, add("1"), Note)
    objects.bodies[key(3)] = b"x"
    reasons = await numbers_and_reasons(objects)
    assert (3, "record 3 of library a/default does not decode") in reasons
    assert (3, "does not end generation 0, and there is a later one") in reasons


async def test_a_newest_record_that_was_given_up(objects: MemoryObjects) -> None:
    await written(objects, 2)
    bury(objects, 2)
    assert await findings(objects) == [
        Finding(2, "its content was given up, and nothing came after it", "run `restore --version 1`")
    ]


async def test_it_holds_few_versions_at_a_time(objects: MemoryObjects) -> None:
    await written_large(objects, 20)
    await findings(objects)
    tracemalloc.start()
    try:
        assert await findings(objects) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * LARGE_BYTES
