"""The ways to a version: made here, opened from cold, followed from an older one. All lead to the same image."""

import random
import sqlite3
from collections.abc import Callable
from itertools import pairwise

import pytest

from app.kit.clock import now
from app.library import head as head_module
from app.library.blocks import BLOCK_BYTES
from app.library.errors import LibraryTooLargeError, UnreadableLibraryError
from app.library.head import Commit, Head, closed_head, empty_head, next_head
from app.library.intent import Intent
from app.library.legacy import LegacyDatabase
from app.library.log import RecordLog
from app.library.opener import HistoryMovedOnError, Opener
from app.library.record import Place, Record, parse
from app.library.retention import tombstone_of
from app.storage.port import Stored
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects

TAB_1 = Intent("tab-1")
COMMIT = Commit(("tab-1",), "2026-01-01T00:00:00.000Z")
SMALL_LIMIT = 12 * BLOCK_BYTES


class Shelf:
    """Records in a store, and the openers of processes that read them."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()

    def opener(self) -> Opener:
        log = RecordLog(self.objects, KEYS, OWNER, 1.0)
        return Opener(OWNER, log, LegacyDatabase(self.objects, KEYS, OWNER, now))

    def put(self, place: Place, body: bytes) -> None:
        self.objects.bodies[KEYS.log_record(*place)] = body

    def record(self, seq: int) -> Record:
        place = Place(OWNER, 0, seq)
        return parse(self.objects.bodies[KEYS.log_record(*place)], place)

    def tombstone(self, seq: int) -> bytes:
        record = self.record(seq)
        return tombstone_of(record.header, record.sha256, with_writers=True)

    def commit(self, head: Head, image: bytes) -> Head:
        after, body = next_head(head, image, COMMIT)
        self.put(head.next_place, body)
        return after

    async def follow(self, head: Head, seq: int) -> Head:
        while head.seq < seq:
            head = await self.opener().after(head, self.objects.bodies[KEYS.log_record(*head.next_place)])
        return head


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def page(rng: random.Random) -> bytes:
    return rng.randbytes(BLOCK_BYTES)


def changed(rng: random.Random, image: bytes) -> bytes:
    """As commits change databases: some bytes, some pages, sometimes pages more or fewer."""
    pages = [image[at : at + BLOCK_BYTES] for at in range(0, len(image), BLOCK_BYTES)]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 5))):
        index = rng.randrange(len(pages))
        at = rng.randrange(BLOCK_BYTES - 20)
        pages[index] = pages[index][:at] + rng.randbytes(20) + pages[index][at + 20 :]
    match rng.randrange(8):
        case 0:
            pages += [page(rng) for _ in range(rng.randrange(1, 6))]
        case 1:
            pages += [bytes(BLOCK_BYTES)]
        case 2:
            del pages[max(1, len(pages) - rng.randrange(6)) :]
        case 3:
            rng.shuffle(pages)
    return b"".join(pages)


@pytest.mark.parametrize("seed", range(25))
async def test_warm_cold_and_followed_versions_are_the_same(
    seed: int, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across the limit above which the base stays out of the record, both ways, with rebases."""
    rng = random.Random(seed)
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    monkeypatch.setattr(head_module, "_IMAGE_TO_PATCHES", rng.choice((1, 4, 48)))
    warm = empty_head(OWNER)
    followers: list[Head] = []
    image = b"".join(page(rng) for _ in range(rng.randrange(6, 18)))
    for _ in range(60):
        if rng.random() < 0.2:
            followers.append(warm)
        image = changed(rng, image)
        warm = shelf.commit(warm, image)
        assert warm.image == image
        if rng.random() < 0.3:
            assert await shelf.opener().newest() == warm, f"cold, seed {seed}"
        if followers and rng.random() < 0.3:
            follower = followers.pop(rng.randrange(len(followers)))
            assert await shelf.follow(follower, warm.seq) == warm, f"followed from {follower.seq}, seed {seed}"


async def test_the_random_changes_reach_all_that_they_are_meant_to(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deltas, records with base and patches, bare bases, and both crossings of the limit."""
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    monkeypatch.setattr(head_module, "_IMAGE_TO_PATCHES", 4)
    rng = random.Random(0)
    head, image = empty_head(OWNER), page(rng) * 8
    for _ in range(200):
        image = changed(rng, image)
        head = shelf.commit(head, image)
    headers = [shelf.record(seq).header for seq in range(1, 201)]
    assert {(header.kind, bool(header.patch_bytes)) for header in headers} == {
        ("full", False),
        ("full", True),
        ("delta", True),
    }
    large = [header.image_bytes > SMALL_LIMIT for header in headers]
    assert (False, True) in pairwise(large)
    assert (True, False) in pairwise(large)


def test_a_small_library_carries_its_base_and_the_patches_since(shelf: Shelf) -> None:
    rng = random.Random(1)
    image = b"".join(page(rng) for _ in range(50))
    head = shelf.commit(empty_head(OWNER), image)
    sizes = []
    for _ in range(200):
        at = rng.randrange(len(image) - 100)
        image = image[:at] + rng.randbytes(100) + image[at + 100 :]
        head = shelf.commit(head, image)
        sizes.append(len(head.patches))
    records = [shelf.record(seq) for seq in range(1, 202)]
    assert {record.header.kind for record in records} == {"full"}
    assert all(record.base for record in records)
    rebases = sizes.count(0)
    assert 3 <= rebases <= 50, "a base serves many commits, and none for ever"
    for record in records:
        assert sum(record.header.patch_bytes) * 24 <= record.header.image_bytes


def test_the_patches_of_one_base_are_bounded_in_number(shelf: Shelf) -> None:
    rng = random.Random(2)
    image = b"".join(page(rng) for _ in range(2000))
    head = shelf.commit(empty_head(OWNER), image)
    kinds = []
    for _ in range(140):
        at = rng.randrange(len(image) - 1)
        image = image[:at] + rng.randbytes(1) + image[at + 1 :]
        head = shelf.commit(head, image)
        kinds.append(shelf.record(head.seq).header.kind)
    assert len(image) > 1024 * 1024
    fulls = [number for number, kind in enumerate(kinds) if kind == "full"]
    assert fulls == [63, 127], "63 deltas follow each full record"
    assert kinds.count("delta") == 138


def test_a_delta_has_only_its_patches_and_names_its_base(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    rng = random.Random(3)
    image = b"".join(page(rng) for _ in range(20))
    first = shelf.commit(empty_head(OWNER), image)
    second = shelf.commit(first, image[:-1] + b"x")
    record = shelf.record(2)
    assert (record.header.kind, record.base, record.patches) == ("delta", None, second.patches)
    assert (record.header.base_seq, record.header.base_sha256) == (1, first.record_sha256)
    assert len(shelf.objects.bodies[KEYS.log_record(OWNER, 0, 2)]) < 1200


async def test_a_cold_open_of_a_delta_is_a_list_and_two_gets(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    rng = random.Random(4)
    image = b"".join(page(rng) for _ in range(20))
    head = shelf.commit(empty_head(OWNER), image)
    for byte in b"abc":
        image = image[:-1] + bytes([byte])
        head = shelf.commit(head, image)
    shelf.objects.calls.clear()
    assert await shelf.opener().newest() == head
    assert shelf.objects.calls == [
        ("list", KEYS.log_prefix(OWNER, 0)),
        ("get", KEYS.log_record(OWNER, 0, 4)),
        ("get", KEYS.log_record(OWNER, 0, 1)),
    ]


async def test_following_a_delta_needs_no_base(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    rng = random.Random(5)
    image = b"".join(page(rng) for _ in range(20))
    first = shelf.commit(empty_head(OWNER), image)
    second = shelf.commit(first, image[:-1] + b"a")
    third = shelf.commit(second, image[:-1] + b"b")
    shelf.objects.calls.clear()
    assert await shelf.follow(first, 3) == third
    assert shelf.objects.calls == []


async def test_a_process_follows_another_through_growth_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the interface, with real databases."""
    objects = MemoryObjects()
    here, there = opened(objects), opened(objects)
    await here.commit(OWNER, TAB_1, add("0"), Note)
    async with here.read(OWNER) as db:
        monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", len(db.serialize()) + 20_000)
    for n in range(1, 40):
        await here.commit(OWNER, TAB_1, grow(f"{n}", 2_000), Note)
        if n % 3 == 0:
            assert await read(there) == [f"{i}" for i in range(n + 1)]
        if n % 5 == 0:
            assert await read(opened(objects)) == await read(here)
    kinds = [record_at(objects, seq).header.kind for seq in range(1, 41)]
    assert kinds[0] == "full"
    assert "delta" in kinds
    async with here.read(OWNER) as mine, opened(objects).read(OWNER) as cold, there.read(OWNER) as theirs:
        assert mine.serialize() == cold.serialize() == theirs.serialize()


def grow(name: str, size: int) -> Callable[[sqlite3.Connection], Note]:
    def handler(db: sqlite3.Connection) -> Note:
        note = add(name)(db)
        words = random.Random(name).randbytes(size // 2).hex()
        db.execute("UPDATE games SET opponent = ? WHERE id = ?", (words, name))
        return note

    return handler


def record_at(objects: MemoryObjects, seq: int) -> Record:
    place = Place(OWNER, 0, seq)
    return parse(objects.bodies[KEYS.log_record(*place)], place)


def test_each_record_has_its_own_nonce() -> None:
    head, image = empty_head(OWNER), bytes(BLOCK_BYTES)
    nonces = {parse(next_head(head, image, COMMIT)[1], head.next_place).header.nonce for _ in range(20)}
    assert len(nonces) == 20


def test_a_record_names_the_one_before_it(shelf: Shelf) -> None:
    first = shelf.commit(empty_head(OWNER), bytes(BLOCK_BYTES))
    shelf.commit(first, bytes(2 * BLOCK_BYTES))
    assert shelf.record(1).header.prev_sha256 == ""
    assert shelf.record(2).header.prev_sha256 == shelf.record(1).sha256 == first.record_sha256


def test_an_image_above_the_limit_makes_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "MAX_IMAGE_BYTES", 2 * BLOCK_BYTES)
    next_head(empty_head(OWNER), bytes(2 * BLOCK_BYTES), COMMIT)
    with pytest.raises(LibraryTooLargeError, match="8193 bytes, more than 8192"):
        next_head(empty_head(OWNER), bytes(2 * BLOCK_BYTES + 1), COMMIT)


async def test_a_closed_generation_is_followed_by_an_empty_one(shelf: Shelf) -> None:
    head = shelf.commit(empty_head(OWNER), bytes(BLOCK_BYTES))
    closed, body = closed_head(head, COMMIT)
    shelf.put(head.next_place, body)
    assert await shelf.opener().newest() == closed == await shelf.opener().after(head, body)
    assert (closed.generation, closed.seq, closed.next_place) == (1, 2, Place(OWNER, 1, 3))
    again = shelf.commit(closed, bytes(2 * BLOCK_BYTES))
    assert await shelf.opener().newest() == again


@pytest.mark.parametrize("damage", ["base is another full record", "base is gone", "base does not unpack"])
async def test_a_delta_without_its_own_base_is_unreadable(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    rng = random.Random(6)
    image = b"".join(page(rng) for _ in range(20))
    first = shelf.commit(empty_head(OWNER), image)
    second = shelf.commit(first, image[:-1] + b"a")
    key = KEYS.log_record(OWNER, 0, 1)
    if damage == "base is gone":
        del shelf.objects.bodies[key]
    elif damage == "base does not unpack":
        body = shelf.objects.bodies[key]
        shelf.objects.bodies[key] = body[:-50] + bytes(50)
    else:
        shelf.objects.bodies[key] = next_head(empty_head(OWNER), image, COMMIT)[1]
    with pytest.raises(UnreadableLibraryError, match="record"):
        await shelf.opener().newest()
    assert await shelf.follow(first, 2) == second, "who has the base needs it no more"


async def test_a_record_that_does_not_continue_the_chain_is_unreadable(shelf: Shelf) -> None:
    head = shelf.commit(empty_head(OWNER), bytes(BLOCK_BYTES))
    stranger = next_head(empty_head(OWNER), bytes(2 * BLOCK_BYTES), COMMIT)[0]
    _, body = next_head(stranger, bytes(3 * BLOCK_BYTES), COMMIT)
    with pytest.raises(UnreadableLibraryError, match="does not continue"):
        await shelf.opener().after(head, body)


async def test_a_base_that_was_buried_meanwhile_means_that_there_is_a_newer_version(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the listing and the base, another process went on and tidied up."""
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", SMALL_LIMIT)
    rng = random.Random(7)
    image = b"".join(page(rng) for _ in range(20))
    first = shelf.commit(empty_head(OWNER), image)
    second = shelf.commit(first, image[:-1] + b"a")
    tombstone = shelf.tombstone(1)

    class Moving(MemoryObjects):
        async def get(self, key: str) -> Stored | None:
            found = await super().get(key)
            if key == KEYS.log_record(OWNER, 0, 2) and self.count("get") == 1:
                shelf.commit(second, b"".join(page(rng) for _ in range(20)))
                self.bodies[KEYS.log_record(OWNER, 0, 1)] = tombstone
            return found

    moving = Moving()
    moving.bodies = shelf.objects.bodies
    shelf.objects = moving
    newest = await shelf.opener().newest()
    assert newest.seq == 3


async def test_a_follower_of_a_tombstone_is_told_that_history_moved_on(shelf: Shelf) -> None:
    head = shelf.commit(empty_head(OWNER), bytes(BLOCK_BYTES))
    shelf.commit(head, bytes(2 * BLOCK_BYTES))
    with pytest.raises(HistoryMovedOnError):
        await shelf.opener().after(head, shelf.tombstone(2))
