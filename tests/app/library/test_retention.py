"""Old records are given up without any writer, reader or restore losing what it needs."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from app.kit.clock import now
from app.kit.owner import Owner
from app.library import head as head_module
from app.library.blocks import BLOCK_BYTES
from app.library.errors import UnreadableLibraryError
from app.library.head import Commit, Head, empty_head, next_head
from app.library.intent import Idempotency, Intent
from app.library.legacy import LegacyDatabase
from app.library.libraries import Libraries
from app.library.log import RecordLog
from app.library.opener import Opener
from app.library.record import TOMBSTONE_BYTES, Header, Place, Record, encode, parse
from app.library.retention import Retention, Written, kept, tombstone_of
from app.storage.port import StoreUnavailableError
from tests.app.library.held import HeldObjects
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import PATIENCE_S, until_true

NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")
COMMIT = Commit(("tab-1",), "2026-01-01T00:00:00.000Z")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def stays(*ages: timedelta) -> list[bool]:
    """For records of these ages, oldest first."""
    records = [Written(seq, NOW - age) for seq, age in enumerate(ages, start=1)]
    kept_seqs = kept(records, NOW)
    return [record.seq in kept_seqs for record in records]


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ([], []),
        ([400 * DAY], [True]),
        ([400 * DAY, 399 * DAY], [False, True]),
        ([48 * HOUR, 47 * HOUR + MINUTE, 47 * HOUR, MINUTE, timedelta(0)], [True] * 5),
        # 16:30 two days ago is the limit: 15:10 and 15:50 are of one hour, 16:20 of the next.
        (
            [49 * HOUR + 20 * MINUTE, 48 * HOUR + 40 * MINUTE, 48 * HOUR + 10 * MINUTE, MINUTE],
            [False, True, True, True],
        ),
        ([6 * DAY + 3 * MINUTE, 6 * DAY + 2 * MINUTE, 6 * DAY + MINUTE, MINUTE], [False, False, True, True]),
        ([7 * DAY, 7 * DAY - HOUR, 7 * DAY - 2 * HOUR, MINUTE], [True, True, True, True]),
        # Beyond 7 days the last of each day, by the calendar of UTC.
        ([9 * DAY, 9 * DAY - HOUR, 8 * DAY, 8 * DAY - HOUR, MINUTE], [False, True, False, True, True]),
        ([9 * DAY - 7 * HOUR, 9 * DAY - 8 * HOUR, MINUTE], [True, True, True]),
        ([30 * DAY, MINUTE], [True, True]),
        ([30 * DAY + MINUTE, MINUTE], [False, True]),
    ],
)
def test_what_is_kept(ages: list[timedelta], expected: list[bool]) -> None:
    assert stays(*ages) == expected


def test_the_order_in_which_a_store_lists_does_not_matter() -> None:
    rng = random.Random(1)
    records = [Written(seq, NOW - (500 - seq) * 2 * HOUR) for seq in range(1, 501)]
    shuffled = records[:]
    rng.shuffle(shuffled)
    assert kept(shuffled, NOW) == kept(records, NOW)


def test_what_was_kept_once_may_be_kept_again_so_that_no_day_is_lost() -> None:
    """Retention that runs every hour ends where retention that runs once does."""
    records = {seq: Written(seq, NOW + seq * 20 * MINUTE) for seq in range(1, 1000)}
    end = NOW + 1000 * 20 * MINUTE + 12 * DAY
    at_once = kept(records.values(), end)
    living, at = dict(records), NOW
    while at <= end:
        born = [record for record in living.values() if record.at <= at]
        remaining = kept(born, at)
        living = {seq: record for seq, record in living.items() if record.at > at or seq in remaining}
        at += HOUR
    assert kept(living.values(), end) == at_once


class Log:
    """A library's records in a store with a clock of its own."""

    def __init__(self, objects: MemoryObjects | None = None) -> None:
        self.objects = objects or MemoryObjects()
        self.now = NOW
        self.objects.clock = lambda: self.now
        self.head = empty_head(OWNER)
        self.heads: dict[int, Head] = {}
        self.retention = self.another()

    def another(self) -> Retention:
        return Retention(self.objects, KEYS, OWNER, lambda: self.now)

    def commit(self, image: bytes) -> Head:
        place = self.head.next_place
        self.head, body = next_head(self.head, image, COMMIT)
        self.objects.bodies[KEYS.log_record(*place)] = body
        self.objects.times[KEYS.log_record(*place)] = self.now
        self.heads[place.seq] = self.head
        return self.head

    def record(self, seq: int) -> Record:
        place = Place(OWNER, 0, seq)
        return parse(self.body(seq), place)

    def body(self, seq: int) -> bytes:
        return self.objects.bodies[KEYS.log_record(OWNER, 0, seq)]

    def kinds(self) -> dict[int, str]:
        return {seq: self.record(seq).header.kind for seq in self.heads}

    def living(self) -> list[int]:
        return [seq for seq, kind in self.kinds().items() if kind != "tombstone"]

    def written(self) -> list[Written]:
        return [Written(seq, self.objects.times[KEYS.log_record(OWNER, 0, seq)]) for seq in self.living()]

    async def cold(self) -> Head:
        return await self.opener().newest()

    async def at(self, seq: int) -> Head:
        return await self.opener().at(Place(OWNER, 0, seq), self.body(seq))

    def opener(self) -> Opener:
        log = RecordLog(self.objects, KEYS, OWNER, 1.0)
        return Opener(OWNER, log, LegacyDatabase(self.objects, KEYS, OWNER, lambda: self.now))


@pytest.fixture
def log() -> Log:
    return Log()


def images(seed: int, pages: int) -> tuple[random.Random, bytes]:
    rng = random.Random(seed)
    return rng, rng.randbytes(pages * BLOCK_BYTES)


def touched(rng: random.Random, image: bytes) -> bytes:
    at = rng.randrange(len(image) - 8)
    return image[:at] + rng.randbytes(8) + image[at + 8 :]


async def test_what_need_not_stay_becomes_a_tombstone_of_its_record(log: Log) -> None:
    rng, image = images(1, 4)
    for _ in range(4):
        image = touched(rng, image)
        log.commit(image)
    before = [log.record(seq) for seq in (1, 2, 3)]
    log.now += 40 * DAY
    assert await log.retention.apply(0) == 3
    assert log.kinds() == {1: "tombstone", 2: "tombstone", 3: "tombstone", 4: "full"}
    for old in before:
        tombstone = log.record(old.header.seq)
        assert tombstone.header.nonce == old.header.nonce
        assert tombstone.header.prev_sha256 == old.header.prev_sha256
        assert tombstone.header.buried_sha256 == old.sha256
        assert (tombstone.header.writers, tombstone.header.committed_at) == (("tab-1",), COMMIT.committed_at)
        assert (tombstone.base, tombstone.patches) == (None, ())
    assert (await log.cold()).image == image


async def test_nothing_young_is_touched_nor_even_read(log: Log) -> None:
    rng, image = images(2, 4)
    for _ in range(4):
        log.commit(touched(rng, image))
        log.now += HOUR
    bodies = dict(log.objects.bodies)
    log.objects.calls.clear()
    assert await log.retention.apply(0) == 0
    assert log.objects.bodies == bodies
    assert {call for call, _ in log.objects.calls} <= {"list", "peek"}


async def test_the_base_of_a_kept_delta_stays(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month of deltas, a few each hour: what stays can be opened."""
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", BLOCK_BYTES)
    rng, image = images(3, 60)
    for _ in range(150):
        image = touched(rng, image)
        log.commit(image)
        log.now += 20 * MINUTE
        if rng.random() < 0.05:
            log.now += DAY
    wanted = kept(log.written(), log.now)
    assert await log.retention.apply(0) > 0
    living = log.living()
    assert wanted < set(living), "there are bases that stay although they need not for themselves"
    assert {"delta", "full"} <= {log.kinds()[seq] for seq in wanted}
    for seq in wanted:
        assert (await log.at(seq)).image == log.heads[seq].image
    assert (await log.cold()) == log.head


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_every_version_that_is_kept_can_be_opened(
    seed: int, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes around the limit above which a record has its base apart, retention at any time."""
    rng, image = images(seed, 10)
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", 10 * BLOCK_BYTES)
    monkeypatch.setattr(head_module, "_IMAGE_TO_PATCHES", 8)
    for _ in range(120):
        image = touched(rng, image)
        if rng.random() < 0.2:
            image = image[: 9 * BLOCK_BYTES] if len(image) > 10 * BLOCK_BYTES else image + bytes(2 * BLOCK_BYTES)
        log.commit(image)
        log.now += rng.choice((MINUTE, HOUR, 6 * HOUR, 3 * DAY))
        if rng.random() < 0.1:
            await log.retention.apply(0)
            assert await log.cold() == log.head, f"seed {seed}"
            for seq in kept(log.written(), log.now):
                assert (await log.at(seq)).image == log.heads[seq].image, f"record {seq}, seed {seed}"


async def test_a_library_that_grows_over_the_limit_needs_no_base_that_was_given_up(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small libraries have their base in each record: the record that brought it first may be gone for long."""
    rng, image = images(4, 60)
    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", len(image))
    log.commit(image)
    image = touched(rng, image)
    log.commit(image)
    log.now += 40 * DAY
    assert await log.retention.apply(0) == 1
    log.commit(image + bytes(BLOCK_BYTES))
    assert await log.cold() == log.head


async def test_burying_twice_changes_nothing(log: Log) -> None:
    log.commit(bytes(BLOCK_BYTES))
    log.commit(bytes(2 * BLOCK_BYTES))
    place = Place(OWNER, 0, 1)
    assert await log.retention.bury(place, with_writers=True)
    buried = log.body(1)
    assert not await log.retention.bury(place, with_writers=True)
    log.now += 40 * DAY
    log.objects.calls.clear()
    assert await log.retention.apply(0) == 0
    assert log.body(1) == buried
    assert log.objects.count("get") == 0, "the listing tells that there is nothing left to bury"


async def test_burying_what_is_not_there_does_nothing(log: Log) -> None:
    assert not await log.retention.bury(Place(OWNER, 0, 1), with_writers=True)
    assert log.objects.bodies == {}


async def test_several_may_bury_at_once() -> None:
    objects = HeldObjects()
    log = Log(objects)
    rng, image = images(5, 4)
    for _ in range(10):
        image = touched(rng, image)
        log.commit(image)
    log.now += 40 * DAY
    objects.hold("replace")
    both = [asyncio.create_task(log.another().apply(0)) for _ in range(2)]
    await objects.held("replace", times=2)
    objects.release("replace")
    assert sum(await asyncio.gather(*both)) == 9, "each record is buried by one of them"
    assert log.living() == [10]
    assert await log.cold() == log.head


async def test_retention_that_is_ended_half_way_is_done_by_the_next(log: Log) -> None:
    rng, image = images(6, 4)
    for _ in range(10):
        image = touched(rng, image)
        log.commit(image)
    log.now += 40 * DAY
    log.objects.fault = lambda call, key: "after" if log.objects.count("replace") == 4 else None
    with pytest.raises(StoreUnavailableError):
        await log.retention.apply(0)
    log.objects.fault = lambda call, key: None
    assert log.living() == [1, 2, 3, 4, 5, 10], "what others are built on goes last"
    assert await log.retention.apply(0) == 5
    assert log.living() == [10]


async def test_a_record_that_does_not_decode_is_left_as_it_is(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    for pages in (1, 2, 3):
        log.commit(bytes(pages * BLOCK_BYTES))
    log.objects.bodies[KEYS.log_record(OWNER, 0, 1)] = b"RBLIB2\n damaged"
    log.now += 40 * DAY
    assert await log.retention.apply(0) == 1
    assert log.body(1) == b"RBLIB2\n damaged"
    assert "record 1 of library a/default is not buried" in caplog.text


async def test_the_end_of_a_generation_is_never_buried(log: Log) -> None:
    head = log.commit(bytes(BLOCK_BYTES))
    _, body = head_module.closed_head(head, COMMIT)
    log.objects.bodies[KEYS.log_record(OWNER, 0, 2)] = body
    assert not await log.retention.bury(Place(OWNER, 0, 2), with_writers=False)
    assert log.body(2) == body


def header(**changes: object) -> Header:
    plain = Header(
        kind="full",
        user_id="a",
        profile_id="default",
        generation=0,
        seq=1,
        prev_sha256="ab" * 32,
        nonce="cd" * 16,
        writers=("tab-1",),
        committed_at=COMMIT.committed_at,
    )
    return plain.model_copy(update=changes)


@pytest.mark.parametrize("with_writers", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"user_id": "u" * 64, "profile_id": "p" * 64, "seq": 10**16 - 1, "generation": 10**9},
        {"writers": ("system", "\u00fc" * 100)},
        {"user_id": "u" * 64, "profile_id": "p" * 64, "writers": ("system", '"' * 100)},
    ],
)
def test_a_tombstone_has_its_own_size(changes: dict[str, object], *, with_writers: bool) -> None:
    """However long the names: a listing tells it from what it is left of."""
    buried = header(**changes)
    tombstone = tombstone_of(buried, "ef" * 32, with_writers=with_writers)
    assert len(tombstone) == TOMBSTONE_BYTES
    place = Place(Owner(buried.user_id, buried.profile_id), buried.generation, buried.seq)
    found = parse(tombstone, place)
    assert found.header.kind == "tombstone"
    assert found.header.writers == (buried.writers if with_writers else ())


def test_no_other_record_has_the_size_of_a_tombstone() -> None:
    sizes = []
    for length in range(1, 1024):
        body = encode(header(base_seq=1, base_bytes=length), bytes(length))
        sizes.append(len(body))
        record = parse(body, Place(OWNER, 0, 1))
        assert record.base == bytes(length)
    assert min(sizes) < TOMBSTONE_BYTES < max(sizes)
    assert TOMBSTONE_BYTES not in sizes


async def test_a_follower_whose_next_record_was_buried_opens_anew(log: Log) -> None:
    objects = log.objects
    follower, writer = opened(objects), opened(objects)
    await writer.commit(OWNER, TAB_1, add("1"), Note)
    assert await read(follower) == ["1"]
    for name in "234":
        await writer.commit(OWNER, TAB_1, add(name), Note)
    for seq in (2, 3):
        assert await log.retention.bury(Place(OWNER, 0, seq), with_writers=True)
    assert await read(follower) == ["1", "2", "3", "4"]
    await follower.commit(OWNER, TAB_1, add("5"), Note)
    assert await read(writer) == ["1", "2", "3", "4", "5"]


class Stalled:
    """A writer whose record reaches the store long after it was sent; meanwhile its number was taken and buried."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.objects = HeldObjects(beside=log.objects)
        self.libraries = opened(self.objects)

    async def send(self, intent: Intent, name: str) -> asyncio.Task[Note]:
        await read(self.libraries)
        self.objects.hold("create")
        task = asyncio.create_task(self.libraries.commit(OWNER, intent, add(name), Note))
        await self.objects.held("create")
        return task


async def test_a_writer_that_stalled_is_refused_a_number_that_was_buried(log: Log) -> None:
    others = opened(log.objects)
    await others.commit(OWNER, TAB_1, add("1"), Note)
    stalled = Stalled(log)
    fresh = await stalled.send(TAB_1, "mine")
    for name in "23":
        await others.commit(OWNER, TAB_2, add(name), Note)
    assert await log.retention.bury(Place(OWNER, 0, 2), with_writers=True)
    tombstone = log.body(2)
    stalled.objects.release("create")
    assert await fresh == Note(id="mine", rows=4)
    assert log.body(2) == tombstone
    assert await read(others) == ["1", "2", "3", "mine"]


async def test_a_writer_that_stalled_is_told_of_the_conflict_behind_a_tombstone(log: Log) -> None:
    others = opened(log.objects)
    await others.commit(OWNER, TAB_1, add("1"), Note)
    stalled = Stalled(log)
    task = await stalled.send(Intent("tab-1", seen_version=1), "mine")
    for name in "23":
        await others.commit(OWNER, TAB_2, add(name), Note)
    await log.retention.bury(Place(OWNER, 0, 2), with_writers=True)
    stalled.objects.release("create")
    with pytest.raises(Exception, match="another session changed this library"):
        await task
    assert await read(others) == ["1", "2", "3"]


@pytest.mark.parametrize("idempotency", [None, Idempotency("k", "k")])
async def test_a_tombstone_with_the_writers_own_nonce_acknowledges_its_write(
    log: Log, monkeypatch: pytest.MonkeyPatch, idempotency: Idempotency | None
) -> None:
    """Its record landed, the answer was lost, others went on and buried it: it is in the lineage all the same."""
    monkeypatch.setattr("app.library.log._FIRST_PAUSE_S", 0.0)
    others = opened(log.objects)
    await others.commit(OWNER, TAB_1, add("1"), Note)
    objects = HeldObjects(beside=log.objects)
    writer = opened(objects)
    await read(writer)
    lost: list[str] = []

    def lose_the_first(call: str, key: str) -> str | None:
        if call != "create" or lost:
            return None
        lost.append(key)
        objects.hold("create")
        return "after"

    objects.fault = lose_the_first
    once = Intent("tab-1", idempotency=idempotency)
    task = asyncio.create_task(writer.commit(OWNER, once, add("mine"), Note))
    await objects.held("create")
    await others.commit(OWNER, TAB_2, add("3"), Note)
    assert await log.retention.bury(Place(OWNER, 0, 2), with_writers=True)
    objects.release("create")
    assert await task == Note(id="mine", rows=2)
    assert await read(writer) == await read(others) == ["1", "mine", "3"]
    if idempotency:
        assert await others.commit(OWNER, once, add("mine"), Note) == Note(id="mine", rows=2)


def seqs_of(calls: Sequence[tuple[str, str]], call: str) -> list[int]:
    return [KEYS.log_seq(key) for name, key in calls if name == call]


async def test_who_commits_each_64th_version_gives_up_what_is_old(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.library.libraries._RETIRE_EACH", 64)
    at = NOW
    objects.clock = lambda: at
    libraries = Libraries(objects, KEYS, clock=lambda: at)
    for n in range(63):
        await libraries.commit(OWNER, TAB_1, add(f"{n}"), Note)
    at += 40 * DAY
    assert objects.count("list") == 1, "the cold open"
    await libraries.commit(OWNER, TAB_1, add("64"), Note)
    await until_true(lambda: objects.count("replace") == 63)
    await libraries.close()
    assert sorted(seqs_of(objects.calls, "replace")) == list(range(1, 64))
    assert len(await read(opened(objects))) == 64
    await libraries.commit(OWNER, TAB_1, add("65"), Note)
    assert objects.count("replace") == 63


async def test_retention_does_not_hold_up_the_commit_that_calls_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.libraries._RETIRE_EACH", 2)
    objects = HeldObjects()
    at = NOW
    objects.clock = lambda: at
    libraries = Libraries(objects, KEYS, clock=lambda: at)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    at += 40 * DAY
    objects.hold("replace")
    await libraries.commit(OWNER, TAB_1, add("2"), Note)
    await objects.held("replace")
    await libraries.commit(OWNER, TAB_1, add("3"), Note)
    closing = asyncio.create_task(libraries.close())
    await asyncio.wait_for(closing, PATIENCE_S)
    assert await read(opened(objects)) == ["1", "2", "3"]


async def test_a_store_that_is_down_puts_retention_off(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.library.libraries._RETIRE_EACH", 1)
    libraries = opened(objects)
    objects.fault = lambda call, key: "before" if call == "list" and objects.count("create") else None
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    await until_true(lambda: "old records of library a/default stay for now" in caplog.text)
    await libraries.close()


async def test_a_version_is_never_opened_from_a_tombstone(log: Log) -> None:
    """The newest record is never buried; were it, nothing would be read as empty."""
    log.commit(bytes(BLOCK_BYTES))
    await log.retention.bury(Place(OWNER, 0, 1), with_writers=True)
    with pytest.raises((StoreUnavailableError, UnreadableLibraryError)):
        await log.cold()


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


async def test_a_base_stays_when_another_retention_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records came since this one listed them, and what they are built on looks as if nothing needed it."""

    class Slow(MemoryObjects):
        meanwhile: Callable[[], Awaitable[None]] | None = None

        async def peek(self, key: str, size_bytes: int) -> bytes | None:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                await meanwhile()
            return await super().peek(key, size_bytes)

    monkeypatch.setattr(head_module, "_DELTA_ABOVE_BYTES", 1)
    objects = Slow()
    libraries = opened(objects)

    async def write(*added: str) -> None:
        for name in added:
            await libraries.commit(OWNER, Intent("tab-1"), add(name), Note)

    async def retire() -> None:
        await Retention(objects, KEYS, OWNER, lambda: now() + timedelta(days=40)).apply(0)

    async def meanwhile() -> None:
        await write("3", "4")
        await retire()

    await write("1", "2")
    objects.meanwhile = meanwhile
    await retire()
    assert await read(opened(objects)) == ["1", "2", "3", "4"]
