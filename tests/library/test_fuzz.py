"""Records that nobody wrote: damaged, exchanged, forged, too large. Each is refused or changes nothing that is read.

Examples are derived from the tests themselves (`derandomize`), so that every run plays the same; a failure prints a
line that replays it. FUZZ_EXAMPLES=5000 plays more.
"""

import asyncio
import json
import os
import sqlite3
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.clock import now
from app.library import frames
from app.library.blocks import BLOCK_BYTES
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.image import empty_image, open_copy
from app.library.intent import Intent
from app.library.patch import apply_patches
from app.library.record import MAX_HEADER_BYTES, MAX_IMAGE_BYTES, MAX_PATCHES, Header, Place, parse
from app.library.retention import Retention, tombstone_of
from app.library.schema import SCHEMA_VERSION
from app.storage.port import MAX_BODY_BYTES, ObjectTooLargeError
from tests.app.library.notes import KEYS, OWNER, Note, add, names, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.library.records import (
    MAGIC,
    OTHER,
    OTHER_PROFILE,
    REFUSALS,
    TAB,
    TRY_AGAIN,
    History,
    base_image,
    erased,
    filled,
    history,
    image_with,
    joined,
    key,
    looked_at,
    memory_below,
    record,
    require_recovery,
    require_refused,
    require_refused_or_right,
    split,
    written_to,
)

BOMB_MEMORY = 300_000_000
FEW = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

LONE = history(300)
SMALL = history(*[300] * 6)
LARGE = history(1_100_000, 200, 200, 200)
HISTORIES = {"lone": LONE, "small": SMALL, "large": LARGE}
Damage = Callable[[bytes], bytes]


def facts(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(split(body)[0])
    return found


def test_the_histories_have_records_of_both_kinds() -> None:
    assert [facts(SMALL.bodies[key(seq)])["kind"] for seq in range(1, 7)] == ["full"] * 6
    assert "patch_bytes" in facts(SMALL.bodies[key(6)])
    assert [facts(LARGE.bodies[key(seq)])["kind"] for seq in range(1, 5)] == ["full", "delta", "delta", "delta"]
    for each in HISTORIES.values():
        objects = MemoryObjects()
        objects.bodies = dict(each.bodies)
        assert asyncio.run(looked_at(objects)) == each.names


def flipped(places: list[tuple[int, int]]) -> Damage:
    def damage(body: bytes) -> bytes:
        bent = bytearray(body)
        for place, mask in places:
            bent[place % len(bent)] ^= mask
        return bytes(bent)

    return damage


def zeroed(place: int, length: int) -> Damage:
    def damage(body: bytes) -> bytes:
        start = place % len(body)
        return body[:start] + bytes(len(body[start : start + length])) + body[start + length :]

    return damage


def spliced(other: bytes, place: int, length: int, source: int) -> Damage:
    def damage(body: bytes) -> bytes:
        start, begin = place % len(body), source % len(other)
        return body[:start] + other[begin : begin + length] + body[start + length :]

    return damage


def cut(length: int) -> Damage:
    return lambda body: body[: length % len(body)]


def lengthened(more: bytes) -> Damage:
    return lambda body: body + more


def restated(field: str, value: Any) -> Damage:
    def damage(body: bytes) -> bytes:
        header, rest = split(body)
        return joined(json.dumps(json.loads(header) | {field: value}).encode(), rest)

    return damage


def position() -> st.SearchStrategy[int]:
    """Mostly where the header is."""
    return st.one_of(st.integers(0, 700), st.integers(0, 10**7))


def damages(other: bytes) -> st.SearchStrategy[Damage]:
    return st.one_of(
        st.builds(flipped, st.lists(st.tuples(position(), st.integers(1, 255)), min_size=1, max_size=8)),
        st.builds(zeroed, position(), st.integers(1, 5000)),
        st.builds(partial(spliced, other), position(), st.integers(1, 5000), position()),
        st.builds(cut, position()),
        st.builds(lengthened, st.binary(min_size=1, max_size=100)),
    )


def statements() -> st.SearchStrategy[Damage]:
    """A header that says something else in one of its fields."""
    number = st.one_of(st.integers(-5, 10), st.integers(-(10**20), 10**20), st.just(MAX_IMAGE_BYTES))
    scalar = st.one_of(st.none(), st.booleans(), number, st.floats(), st.text(max_size=70))
    field = st.sampled_from(sorted(Header.model_fields))
    kind = st.sampled_from(["full", "delta", "tombstone", "erased"])
    return st.builds(restated, field, st.one_of(scalar, st.lists(scalar, max_size=4), kind))


@FEW
@given(damage=damages(LARGE.bodies[key(1)]), seq=st.sampled_from([1, 5, 6]))
def test_damage_to_a_small_library_is_refused_or_harmless(damage: Damage, seq: int) -> None:
    require_no_effect(SMALL, seq, damage)


@FEW
@given(damage=damages(SMALL.bodies[key(6)]), seq=st.sampled_from([1, 4]))
def test_damage_to_a_large_library_is_refused_or_harmless(damage: Damage, seq: int) -> None:
    require_no_effect(LARGE, seq, damage)


@FEW
@given(damage=statements(), seq=st.sampled_from([1, 6]))
def test_a_header_that_states_something_else_is_refused_or_harmless(damage: Damage, seq: int) -> None:
    require_no_effect(SMALL, seq, damage)


@FEW
@given(damage=statements(), seq=st.sampled_from([1, 4]))
def test_a_header_of_a_delta_that_states_something_else_is_refused_or_harmless(damage: Damage, seq: int) -> None:
    require_no_effect(LARGE, seq, damage)


def require_no_effect(untouched: History, seq: int, damage: Damage) -> None:
    bodies = untouched.bodies | {key(seq): damage(untouched.bodies[key(seq)])}
    asyncio.run(require_refused_or_right(bodies, untouched.names, REFUSALS))
    asyncio.run(require_recovery(untouched.bodies, bodies, untouched.newest - 1, untouched.names))


@FEW
@given(body=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: MAGIC + rest)))
def test_what_is_no_record_is_refused(body: bytes) -> None:
    asyncio.run(require_refused(SMALL.bodies | {key(6): body}))


ERASED = erased(SMALL.bodies, 6)
EXCHANGED = {
    "an older record for the newest": (SMALL.bodies, key(6), SMALL.bodies[key(5)]),
    "the newest for an older one that is needed": (LARGE.bodies, key(1), LARGE.bodies[key(4)]),
    "a delta for a newer delta": (LARGE.bodies, key(4), LARGE.bodies[key(3)]),
    "the base again": (LARGE.bodies, key(4), LARGE.bodies[key(1)]),
    "the newest once more behind itself": (SMALL.bodies, key(7), SMALL.bodies[key(6)]),
    "the first once more behind the newest": (SMALL.bodies, key(7), SMALL.bodies[key(1)]),
    "another user's": (SMALL.bodies, key(6), SMALL.bodies[key(1, owner=OTHER)]),
    "another user's with the same number": (LONE.bodies, key(1), SMALL.bodies[key(1, owner=OTHER)]),
    "another profile's": (LONE.bodies, key(1), SMALL.bodies[key(1, owner=OTHER_PROFILE)]),
    "that of the generation before": (ERASED, key(8, 1), SMALL.bodies[key(6)]),
    "that of the generation before, with the same number": (ERASED | {key(6, 1): SMALL.bodies[key(6)]}, key(8, 1), b""),
    "the end of the generation before": (ERASED, key(8, 1), ERASED[key(7)]),
    "that of the generation after": (SMALL.bodies, key(8), ERASED[key(8, 1)]),
    "nothing at all": (SMALL.bodies, key(6), b""),
}


@pytest.mark.parametrize("what", EXCHANGED)
async def test_a_record_in_the_place_of_another_is_refused(what: str) -> None:
    bodies, place, body = EXCHANGED[what]
    await require_refused(bodies | {place: body})


async def test_an_erased_library_is_read_from_its_new_generation() -> None:
    """What the exchanges above start from."""
    objects = MemoryObjects()
    objects.bodies = dict(ERASED)
    assert await looked_at(objects) == ["new life"]


@pytest.mark.parametrize("what", [name for name, (bodies, _, _) in EXCHANGED.items() if key(7) not in bodies])
async def test_a_process_that_knew_an_earlier_version_never_shows_an_exchanged_record(what: str) -> None:
    bodies, place, body = EXCHANGED[what]
    untouched = next(each for each in HISTORIES.values() if each.bodies is bodies)
    await require_recovery(untouched.bodies, bodies | {place: body}, untouched.newest - 1, untouched.names)


def tombstone(body: bytes, seq: int) -> bytes:
    found = parse(body, Place(OWNER, 0, seq))
    return tombstone_of(found.header, found.sha256, with_writers=True)


@pytest.mark.parametrize("which", HISTORIES)
async def test_a_tombstone_for_the_newest_record_is_refused(which: str) -> None:
    untouched = HISTORIES[which]
    seq = untouched.newest
    buried = untouched.bodies | {key(seq): tombstone(untouched.bodies[key(seq)], seq)}
    await require_refused(buried, TRY_AGAIN)
    await require_recovery(untouched.bodies, buried, seq - 1, untouched.names)


async def test_a_process_that_knows_the_version_of_a_tombstone_keeps_showing_it() -> None:
    buried = SMALL.bodies | {key(6): tombstone(SMALL.bodies[key(6)], 6)}
    await require_recovery(SMALL.bodies, buried, 6, SMALL.names)


def delta(**changes: Any) -> bytes:
    """The newest record of LARGE, which names record 1, with a changed header."""
    header, rest = split(LARGE.bodies[key(4)])
    return joined(json.dumps(json.loads(header) | changes).encode(), rest)


LARGE_IMAGE = base_image(LARGE.bodies[key(1)], 1)
BASES: dict[str, dict[str, bytes | None]] = {
    "missing": {key(1): None},
    "of other bytes": {key(1): record(LARGE_IMAGE, nonce="of other bytes")},
    "of another image": {key(1): record(image_with("another"))},
    "with patches of its own": {key(1): record(LARGE_IMAGE, patches=(struct.pack(">II", len(LARGE_IMAGE), 0),))},
    "a delta": {key(1): record(LARGE_IMAGE, frame=b"", patches=(b"patch",), kind="delta")},
    "the delta itself": {key(4): delta(base_seq=4)},
    "another delta": {key(4): delta(base_seq=3)},
    "a number without a record": {key(4): delta(base_seq=99)},
    "the end of a generation": {key(1): record(b"", frame=b"", kind="erased", base_seq=0)},
    "named by another hash": {key(4): delta(base_sha256="0" * 64)},
    "named without a hash": {key(4): delta(base_sha256="")},
}


@pytest.mark.parametrize("what", BASES)
async def test_a_delta_whose_base_is_not_what_it_was_is_refused(what: str) -> None:
    bodies = LARGE.bodies | BASES[what]
    await require_refused({name: body for name, body in bodies.items() if body is not None})


async def test_a_delta_whose_base_is_a_tombstone_is_refused() -> None:
    await require_refused(LARGE.bodies | {key(1): tombstone(LARGE.bodies[key(1)], 1)}, TRY_AGAIN)


@pytest.mark.parametrize("seq", [0, 10**16, 10**30])
async def test_a_delta_whose_base_has_an_impossible_number_is_refused(seq: int) -> None:
    await require_refused(LARGE.bodies | {key(4): delta(base_seq=seq)})


async def test_who_continues_a_delta_does_not_pass_a_wrong_hash_of_its_base_on() -> None:
    """It would be acknowledged, and unreadable for every other process."""
    objects = MemoryObjects()
    objects.bodies = {name: body for name, body in LARGE.bodies.items() if name != key(4)}
    libraries = opened(objects)
    assert await read(libraries) == LARGE.names[:3]
    objects.bodies[key(4)] = delta(base_sha256="0" * 64)
    with pytest.raises(UnreadableLibraryError):
        await libraries.commit(OWNER, TAB, add("lost"), Note)


async def test_a_library_that_becomes_large_does_not_name_a_base_that_was_given_up() -> None:
    """Small records have their base with them: retention does not know that a later one will name the first."""
    objects = MemoryObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, filled("first", 800_000), Note)
    await libraries.commit(OWNER, TAB, add("second"), Note)
    await Retention(objects, KEYS, OWNER, now).bury(Place(OWNER, 0, 1), with_writers=True)
    number = 0
    while facts(objects.bodies[key(number + 2)])["image_bytes"] <= 1024 * 1024:
        number += 1
        await libraries.commit(OWNER, TAB, add_zeros(f"more {number}"), Note)
    assert await read(opened(objects)) == ["first", "second", *(f"more {n}" for n in range(1, number + 1))]


def add_zeros(name: str) -> Callable[[sqlite3.Connection], Note]:
    """Much that compresses to little: a patch is worth it."""

    def handler(db: sqlite3.Connection) -> Note:
        db.execute("INSERT INTO games VALUES (?, ?, '2026-01-01', 'home', '')", (name, "0" * 50_000))
        return Note(id=name, rows=1)

    return handler


HEADER, FRAMES = split(record(image_with("n0")))


def stated(old: bytes, new: bytes) -> bytes:
    assert HEADER.count(old) == 1
    return HEADER.replace(old, new)


HEADERS = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a word": b'"full"',
    "half": HEADER[: len(HEADER) // 2],
    "more behind it": HEADER + b"{}",
    "nested lists": b"[" * 16_000,
    "nested objects": b'{"a":' * 3000,
    "nested in an unknown field": HEADER[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "NaN": stated(b'"seq":1', b'"seq":NaN'),
    "infinity": stated(b'"seq":1', b'"seq":Infinity'),
    "minus infinity": stated(b'"seq":1', b'"seq":-Infinity'),
    "beyond a double": stated(b'"seq":1', b'"seq":1e400'),
    "half a record": stated(b'"seq":1', b'"seq":1.5'),
    "a number of 5000 digits": stated(b'"seq":1', b'"seq":' + b"9" * 5000),
    "a size of 4000 digits": stated(b'"base_bytes":', b'"base_bytes":' + b"9" * 4000),
    "a negative generation": stated(b'"generation":0', b'"generation":-1'),
    "the number twice, wrong last": HEADER[:-1] + b',"seq":2}',
    "the user twice, wrong last": HEADER[:-1] + b',"user_id":"b"}',
    "the kind twice, wrong last": HEADER[:-1] + b',"kind":"erased"}',
    "no UTF-8": stated(b'"full"', b'"ful\xff"'),
    "no UTF-8 in a free text": stated(b'["tab"]', b'["\xc3\x28"]'),
    "half a surrogate": stated(b'["tab"]', b'["\\ud800"]'),
    "a byte-order mark": b"\xef\xbb\xbf" + HEADER,
    "UTF-16": HEADER.decode().encode("utf-16"),
    "a NUL in the user": stated(b'"user_id":"a"', b'"user_id":"a\\u0000"'),
    "a path for a user": stated(b'"user_id":"a"', b'"user_id":"../b"'),
}


@pytest.mark.parametrize("what", HEADERS)
async def test_a_header_that_is_none_is_refused(what: str) -> None:
    await require_refused({key(1): joined(HEADERS[what], FRAMES)})


@pytest.mark.parametrize("field", [b'"seq":7', b'"user_id":"b"', b'"kind":"erased"', b'"image_bytes":0'])
async def test_of_a_field_that_stands_twice_the_first_never_counts(field: bytes) -> None:
    await require_refused_or_right({key(1): joined(b"{" + field + b"," + HEADER[1:], FRAMES)}, ["n0"])


@pytest.mark.parametrize("length", [MAX_HEADER_BYTES - len(MAGIC) - 3, MAX_HEADER_BYTES, 2**31, 2**32 - 1])
async def test_a_header_longer_than_any_is_not_read(length: int) -> None:
    padded = HEADER.ljust(min(length, 10 * MAX_HEADER_BYTES))
    with memory_below(BOMB_MEMORY):
        await require_refused({key(1): MAGIC + length.to_bytes(4, "big") + padded + FRAMES})


async def test_the_longest_header_that_requests_can_cause_is_read_again() -> None:
    """A session with the longest name, of signs that JSON spells with six bytes each, and as many patches as may be."""
    objects = MemoryObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, filled("first", 500_000), Note)
    for number in range(MAX_PATCHES):
        await libraries.commit(OWNER, Intent("\x01" * 100), add(f"{number}"), Note)
    assert max(len(facts(body).get("patch_bytes", ())) for body in objects.bodies.values()) == MAX_PATCHES
    assert len(await read(opened(objects))) == 1 + MAX_PATCHES


def zeros(size: int) -> bytes:
    return zstandard.ZstdCompressor().compress(bytes(size))


def many(size: int, count: int) -> bytes:
    """A patch to an image of `size` bytes that changes its first `count` blocks."""
    return struct.pack(f">II{count}I", size, count, *range(count)) + zeros(count * BLOCK_BYTES)


SKIPPED = struct.pack("<II", 0x184D2A50, 1000) + bytes(1000)
IMAGE = image_with("n0")
LYING = {
    "a frame of more than an image may have": lambda: record(IMAGE, frame=zeros(MAX_IMAGE_BYTES + 1)),
    "a frame of 2 GiB": lambda: record(IMAGE, frame=claiming(2**31)),
    "a frame of 2^63 bytes": lambda: record(IMAGE, frame=claiming(2**63)),
    "a frame of 2^64 - 2 bytes": lambda: record(IMAGE, frame=claiming(2**64 - 2)),
    "a frame without a size": lambda: record(IMAGE, frame=without_size(MAX_IMAGE_BYTES)),
    "a frame without a size, of the right image": lambda: record(IMAGE, frame=without_size(0, IMAGE)),
    "as large as an image may be, but another": lambda: record(IMAGE, frame=zeros(MAX_IMAGE_BYTES)),
    "a size at the limit, the frame beyond": lambda: record(
        IMAGE, frame=zeros(MAX_IMAGE_BYTES + 1), image_bytes=MAX_IMAGE_BYTES
    ),
    "a size beyond the limit": lambda: record(IMAGE, image_bytes=MAX_IMAGE_BYTES + 1),
    "a skippable frame": lambda: record(IMAGE, frame=SKIPPED),
    "a skippable frame before the real one": lambda: record(IMAGE, frame=SKIPPED + frames.compress(IMAGE)),
    "a skippable frame behind the real one": lambda: record(IMAGE, frame=frames.compress(IMAGE) + SKIPPED),
    "two frames": lambda: record(IMAGE, frame=frames.compress(IMAGE) * 2),
    "a patch to 4 GiB": lambda: record(IMAGE, patches=(struct.pack(">II", 2**32 - 1, 0) + zeros(0),)),
    "a patch of 2^32 - 1 blocks": lambda: record(IMAGE, patches=(struct.pack(">II", len(IMAGE), 2**32 - 1),)),
    "a patch of one block that unpacks to 64 MiB": lambda: record(
        IMAGE, patches=(struct.pack(">III", len(IMAGE), 1, 0) + zeros(MAX_IMAGE_BYTES),)
    ),
    "as many patches as may be, each to 64 MiB": lambda: record(IMAGE, patches=(many(MAX_IMAGE_BYTES, 0),) * 63),
    "as many patches as may be, to 64 MiB and back": lambda: record(
        IMAGE, patches=(many(MAX_IMAGE_BYTES, 0), many(0, 0)) * 31
    ),
    "a patch too many": lambda: record(IMAGE, patches=(many(len(IMAGE), 0),) * (MAX_PATCHES + 1)),
    "100,000 patches": lambda: record(IMAGE, patches=(b"",) * 100_000),
    "more frames than bytes": lambda: record(IMAGE, patches=(b"patch",), patch_bytes=(5, 1)),
    "frames of 100 MB that are none": lambda: record(IMAGE, frame=bytes(100_000_000)),
    "100 MB that are no record": lambda: bytes(100_000_000),
}


def claiming(size: int) -> bytes:
    """A frame whose header names an 8-byte size, and one empty last block."""
    return b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", size) + b"\x01\x00\x00"


def without_size(size: int, content: bytes = b"") -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(content or bytes(size))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("what", LYING)
async def test_what_unpacks_to_more_than_it_may_is_refused_in_bounded_memory(what: str) -> None:
    bodies = {key(1): LYING[what]()}
    with memory_below(BOMB_MEMORY):
        await require_refused(bodies, (UnreadableLibraryError,))


@pytest.mark.timeout(120)
async def test_a_patch_of_all_blocks_of_the_largest_image_is_refused_in_bounded_memory() -> None:
    whole = MAX_IMAGE_BYTES // BLOCK_BYTES
    bodies = {key(1): record(IMAGE, frame=zeros(MAX_IMAGE_BYTES), patches=(many(MAX_IMAGE_BYTES, whole),) * 3)}
    with memory_below(BOMB_MEMORY):
        await require_refused(bodies, (UnreadableLibraryError,))


def test_a_patch_costs_what_its_size_does() -> None:
    """CPU of a patch 16 times as large, as a ratio: linear is about 16, the square 256 (in pages used again)."""

    def cost(blocks: int) -> float:
        patch, size = many(blocks * BLOCK_BYTES, blocks), blocks * BLOCK_BYTES
        started = time.thread_time()
        apply_patches(b"", [patch], size)
        return time.thread_time() - started

    cost(16)
    assert min(cost(512) for _ in range(5)) < 64 * min(cost(32) for _ in range(5))


@pytest.mark.parametrize("which", ["newest", "base"])
async def test_an_object_larger_than_the_port_reads_is_refused(which: str) -> None:
    seq = {"newest": 4, "base": 1}[which]
    await require_refused(LARGE.bodies | {key(seq): bytes(MAX_BODY_BYTES + 1)}, (ObjectTooLargeError,))


def bent(image: bytes, place: int, value: bytes) -> bytes:
    return image[:place] + value + image[place + len(value) :]


def with_version(version: int) -> bytes:
    connection = open_copy(b"")
    connection.execute(f"PRAGMA user_version = {version}")
    return connection.serialize()


def foreign() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE notes (text)")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return connection.serialize()


NO_LIBRARIES = {
    "nothing": b"",
    "no database": b"garbage" * 1000,
    "zeros": bytes(8192),
    "a database in WAL mode": bent(empty_image(), 18, b"\2\2"),
    "cut after three pages": empty_image()[: 3 * 4096],
    "all pages but the first zero": empty_image()[:4096] + bytes(len(empty_image()) - 4096),
    "a schema that does not decode": empty_image().replace(b"CREATE TABLE", b"CREATE TAB\xff\xfe"),
    "a database of something else": foreign(),
    "a negative schema version": with_version(-1),
}


@pytest.mark.parametrize("what", NO_LIBRARIES)
async def test_a_sound_record_of_what_is_no_library_is_refused(what: str) -> None:
    image = NO_LIBRARIES[what]
    await require_refused({key(1): record(image, frame=zeros(0) if image == b"" else None)})


@pytest.mark.parametrize(
    "body",
    [
        record(with_version(SCHEMA_VERSION + 1)),
        record(with_version(2**31 - 1)),
        record(IMAGE, schema_version=SCHEMA_VERSION + 1),
        record(b"a form of the future", schema_version=10**6),
        record(IMAGE).replace(MAGIC, b"RBLIB3\n"),
    ],
    ids=["image", "image, far", "header", "header, far", "format"],
)
async def test_what_a_newer_release_wrote_is_never_opened(body: bytes) -> None:
    await require_refused({key(1): body}, (NewerSchemaError,))


@pytest.mark.parametrize("name", ["0", ".DS_Store", "0" * 17, "1" * 20])
async def test_a_stray_object_in_front_of_the_log_is_refused_or_has_no_effect(name: str) -> None:
    await require_refused_or_right(SMALL.bodies | {KEYS.log_prefix(OWNER, 0) + name: b"stray"}, SMALL.names)


@pytest.mark.parametrize("name", ["record", "sub/folder"])
async def test_a_stray_object_behind_the_log_has_no_effect(name: str) -> None:
    await require_refused_or_right(SMALL.bodies | {KEYS.log_prefix(OWNER, 0) + name: b"stray"}, SMALL.names)


async def test_damage_is_not_remembered() -> None:
    """Once the record is what it was, so is the library: in a process that met the damage, too."""
    objects = MemoryObjects()
    objects.bodies = SMALL.bodies | {key(6): b"damaged"}
    libraries = opened(objects)
    for _ in range(2):
        with pytest.raises(UnreadableLibraryError):
            await read(libraries)
    objects.bodies = dict(SMALL.bodies)
    assert await read(libraries) == SMALL.names
    assert await written_to(objects) == [*SMALL.names, "written"]


async def test_a_snapshot_taken_before_the_damage_stays_what_it_was() -> None:
    objects = MemoryObjects()
    objects.bodies = dict(SMALL.bodies)
    libraries = opened(objects)
    async with libraries.read(OWNER) as before:
        objects.bodies[key(7)] = b"damaged"
        with pytest.raises(UnreadableLibraryError):
            await read(libraries)
        assert names(before) == SMALL.names
