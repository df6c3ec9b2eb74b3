"""I1 to I7 of the library protocol, each as what a caller sees. `mutations.py` shows that each of them can fail."""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import pytest

from app.kit.clock import now
from app.kit.errors import AppError, NotFoundError
from app.library import outbox
from app.library.context import SyncReport, begin_report
from app.library.errors import StaleSessionError, UnreadableLibraryError
from app.library.intent import Idempotency, Intent
from app.library.legacy import ImportRefusedError
from app.library.libraries import Libraries
from app.library.record import Place, parse
from app.library.retention import Retention
from app.progress.hub import ProgressHub
from app.storage.port import Stored, StoreUnavailableError
from infra.sources import ROOT
from tests.app.backend import running_backend
from tests.app.library.notes import KEYS, OWNER, Note, add, names, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import PATIENCE_S, until_true
from tests.library.mutations import MUTATIONS, Mutation, occurrences, table
from tests.library.records import TAB, erased, filled, history, image_with, key, record

OTHER_TAB = Intent("other tab")
SMALL = history(100, 100)
LARGE = history(1_100_000, 100)
_T = TypeVar("_T")


class Gate:
    """Holds one call. `reached` says that it is there, `open` lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.reached_at = 0.0

    async def arrived(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.reached.wait()

    async def hold(self) -> None:
        self.reached_at = asyncio.get_running_loop().time()
        self.reached.set()
        await self.open.wait()


class GatedObjects(MemoryObjects):
    """Calls wait where a test put a gate: on the way to the store, or with the answer on the way back."""

    def __init__(self) -> None:
        super().__init__()
        self._there: dict[tuple[str, str], Gate] = {}
        self._back: dict[tuple[str, str], Gate] = {}

    def hold_request(self, call: str, at: str) -> Gate:
        """The next such call."""
        return self._there.setdefault((call, at), Gate())

    def hold_answer(self, call: str, at: str) -> Gate:
        return self._back.setdefault((call, at), Gate())

    async def create(self, key: str, body: bytes) -> str | None:
        return await self._through("create", key, lambda: super(GatedObjects, self).create(key, body))

    async def get(self, key: str) -> Stored | None:
        return await self._through("get", key, lambda: super(GatedObjects, self).get(key))

    async def list(self, prefix: str, limit: int) -> list[str]:
        return await self._through("list", prefix, lambda: super(GatedObjects, self).list(prefix, limit))

    async def _through(self, call: str, at: str, effect: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        for gates in (self._there, self._back):
            gate = gates.pop((call, at), None)
            if gates is self._back:
                answer = await effect()
            if gate is not None:
                await gate.hold()
        return answer


class Outcome(NamedTuple):
    """What a request got, and what its headers would say."""

    answer: Any
    report: SyncReport


async def asked(work: Coroutine[Any, Any, Any], seen_version: int | None = None) -> Outcome:
    """As a GET of the API would be served."""
    report = begin_report(may_be_stale=True, seen_version=seen_version)
    try:
        return Outcome(await work, report)
    except AppError as error:
        return Outcome(error, report)


@asynccontextmanager
async def under_way(work: Coroutine[Any, Any, _T] | asyncio.Task[_T], gate: Gate) -> AsyncIterator[asyncio.Task[_T]]:
    """The work, held at the gate until the block ends."""
    task = asyncio.ensure_future(work)
    await gate.arrived()
    try:
        yield task
    finally:
        gate.open.set()
        await asyncio.wait([task], timeout=PATIENCE_S)


def down(objects: MemoryObjects, *calls: str) -> None:
    objects.fault = lambda call, key: "before" if call in calls else None


async def some_time_passes() -> None:
    """By the clock that ages are taken from."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await until_true(lambda: loop.time() > begun + 0.05)


# I1: an acknowledgement means that record N+1 with my nonce is in the lineage.


async def test_i1_who_lost_the_number_is_acknowledged_for_the_record_that_has_the_change() -> None:
    objects = GatedObjects()
    here, there = opened(objects), opened(objects)
    await here.commit(OWNER, TAB, add("before"), Note)
    gate = objects.hold_request("create", key(2))
    async with under_way(asked(here.commit(OWNER, TAB, add("here"), Note)), gate) as slow:
        await there.commit(OWNER, OTHER_TAB, add("there"), Note)
    outcome = await slow
    assert outcome.answer == Note(id="here", rows=3)
    assert outcome.report.version == 3
    assert await read(opened(objects)) == ["before", "there", "here"]
    assert parse(objects.bodies[key(3)], Place(OWNER, 0, 3)).header.writers == ("tab",)


async def test_i1_a_record_that_was_buried_before_its_writer_knew_of_it_is_acknowledged_and_not_repeated() -> None:
    """The answer to the create is lost; when it is repeated, others have gone on and only its nonce is left."""
    objects = GatedObjects()
    here, there = opened(objects), opened(objects)
    fates = iter(["after"])
    objects.fault = lambda call, at: next(fates, None) if call == "create" else None
    first = objects.hold_request("create", key(1))
    work = asyncio.create_task(asked(here.commit(OWNER, TAB, add("here"), Note)))
    await first.arrived()
    first.open.set()
    await until_true(lambda: key(1) in objects.bodies)
    async with under_way(work, objects.hold_request("create", key(1))):
        await there.commit(OWNER, OTHER_TAB, add("there"), Note)
        assert await Retention(objects, KEYS, OWNER, now).bury(Place(OWNER, 0, 1), with_writers=True)
    outcome = await work
    assert outcome.answer == Note(id="here", rows=1)
    assert outcome.report.version == 1
    for each in (here, opened(objects)):
        assert await read(each) == ["here", "there"]


# I2: every number is created once, ever.


class WatchedObjects(GatedObjects):
    """Remembers every body that was ever the content of a key."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: defaultdict[str, set[bytes]] = defaultdict(set)

    def _write(self, call: str, key: str, body: bytes, *, allowed: bool) -> str | None:
        if allowed:
            self.ever[key].add(body)
        return super()._write(call, key, body, allowed=allowed)


async def test_i2_a_number_that_two_want_is_given_once() -> None:
    objects = WatchedObjects()
    processes = [opened(objects) for _ in range(3)]
    for process in processes:
        await read(process)
    gate = objects.hold_request("create", key(1))
    async with under_way(processes[0].commit(OWNER, TAB, add("0"), Note), gate):
        await processes[1].commit(OWNER, TAB, add("1"), Note)
    await processes[2].commit(OWNER, TAB, add("2"), Note)
    assert {name: len(bodies) for name, bodies in objects.ever.items()} == {key(1): 1, key(2): 1, key(3): 1}
    assert await read(opened(objects)) == ["1", "0", "2"]


async def test_i2_a_number_whose_record_was_given_up_stays_taken() -> None:
    """A create that was stalled for days arrives."""
    objects = GatedObjects()
    here, there = opened(objects), opened(objects)
    await read(here)
    gate = objects.hold_request("create", key(1))
    async with under_way(asked(here.commit(OWNER, TAB, add("stalled"), Note)), gate) as stalled:
        for name in ("1", "2"):
            await there.commit(OWNER, OTHER_TAB, add(name), Note)
        assert await Retention(objects, KEYS, OWNER, now).bury(Place(OWNER, 0, 1), with_writers=True)
        buried = objects.bodies.get(key(1))
    outcome = await stalled
    assert objects.bodies[key(1)] == buried
    assert outcome.report.version == 3
    assert await read(opened(objects)) == ["1", "2", "stalled"]


async def test_i2_the_numbers_go_on_in_the_next_generation() -> None:
    objects = MemoryObjects()
    objects.bodies = erased(SMALL.bodies, 2)
    del objects.bodies[key(4, 1)]
    await opened(objects).commit(OWNER, TAB, add("new life"), Note)
    ours = [name for name in objects.bodies if name.startswith(KEYS.library_prefix(OWNER))]
    assert sorted(map(KEYS.log_seq, ours)) == [1, 2, 3, 4]
    assert await read(opened(objects)) == ["new life"]


# I3: the cache is disposable, and is used only when its hash matches.


async def test_i3_a_cached_version_is_not_continued_by_another_lineage() -> None:
    """The bucket was put back to another state: this process finds out, and then goes on from there."""
    objects, another = MemoryObjects(), MemoryObjects()
    for store, word in ((objects, "this"), (another, "that")):
        for number in range(2):
            await opened(store).commit(OWNER, TAB, add(f"{word} {number}"), Note)
    libraries = opened(objects)
    assert await read(libraries) == ["this 0", "this 1"]
    await opened(another).commit(OWNER, TAB, add("that 2"), Note)
    objects.bodies = another.bodies
    with pytest.raises(UnreadableLibraryError, match="does not continue"):
        await read(libraries)
    assert await read(libraries) == ["that 0", "that 1", "that 2"]


async def test_i3_connections_are_used_for_the_version_that_they_were_opened_for_only() -> None:
    objects = MemoryObjects()
    here, there = opened(objects), opened(objects)
    await here.commit(OWNER, TAB, add("1"), Note)
    assert await read(here) == ["1"]
    await there.commit(OWNER, TAB, add("2"), Note)
    assert await read(here) == ["1", "2"]
    await here.commit(OWNER, TAB, add("3"), Note)
    assert await read(here) == await read(there) == await read(opened(objects)) == ["1", "2", "3"]


async def test_i3_an_image_that_is_not_the_one_of_its_hash_is_not_used() -> None:
    objects = MemoryObjects()
    image, other = image_with("right"), image_with("wrong")
    assert len(image) == len(other)
    whole = parse(record(image), Place(OWNER, 0, 1)).header
    objects.bodies = {key(1): record(other, image_root=whole.image_root)}
    with pytest.raises(UnreadableLibraryError, match="hash"):
        await read(opened(objects))


async def test_i3_a_process_that_keeps_nothing_does_the_same() -> None:
    objects = MemoryObjects()
    libraries = Libraries(objects, KEYS, cache_bytes=0)
    once = Intent("tab", seen_version=2, idempotency=Idempotency("k", "request"))
    for name in ("1", "2"):
        await libraries.commit(OWNER, TAB, add(name), Note)
        assert await read(libraries) == ["1", "2"][: int(name)]
    first = await libraries.commit(OWNER, once, add("3"), Note)
    assert await libraries.commit(OWNER, once, add("3"), Note) == first
    assert await read(libraries) == ["1", "2", "3"]


# I4: ambiguity never becomes an acknowledgement or a 409.


@pytest.mark.parametrize("how", ["before", "after"])
async def test_i4_a_write_of_unknown_fate_is_a_503_and_its_repetition_finds_out(how: str) -> None:
    objects = MemoryObjects()
    libraries = opened(objects, deadline_s=0.0)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    once = Intent("tab", seen_version=1, idempotency=Idempotency("k", "request"))
    objects.fault = lambda call, at: how if call == "create" else None
    outcome = await asked(libraries.commit(OWNER, once, add("2"), Note))
    assert isinstance(outcome.answer, StoreUnavailableError)
    assert outcome.report.version is None
    assert outcome.report.status is None
    objects.fault = lambda call, at: None
    for process in (libraries, opened(objects)):
        assert await process.commit(OWNER, once, add("2"), Note) == Note(id="2", rows=2)
    assert await read(opened(objects)) == ["1", "2"]


async def test_i4_a_lost_answer_is_no_conflict_of_a_session_with_itself() -> None:
    objects = MemoryObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    fates = iter(["after", "before"])
    objects.fault = lambda call, at: next(fates, None) if call in ("create", "get") else None
    outcome = await asked(libraries.commit(OWNER, Intent("tab", seen_version=1), add("2"), Note))
    assert (outcome.answer, outcome.report.version) == (Note(id="2", rows=2), 2)
    assert await read(opened(objects)) == ["1", "2"]


@pytest.mark.parametrize("what", ["conflict", "refusal"])
async def test_i4_while_the_newest_version_is_unknown_nothing_is_refused(what: str) -> None:
    """The version in memory refuses the write; whether it is still the newest, the store does not say."""
    objects = MemoryObjects()
    libraries = opened(objects)
    for intent in (TAB, OTHER_TAB):
        await libraries.commit(OWNER, intent, add(intent.session), Note)
    intent, handler, refusal = {
        "conflict": (Intent("tab", seen_version=1), add("3"), StaleSessionError),
        "refusal": (TAB, missing, NotFoundError),
    }[what]
    down(objects, "get", "list")
    with pytest.raises(StoreUnavailableError):
        await libraries.commit(OWNER, intent, handler, Note)
    down(objects)
    with pytest.raises(refusal):
        await libraries.commit(OWNER, intent, handler, Note)


def missing(db: sqlite3.Connection) -> Note:
    """Succeeds where there is a game "3"."""
    if "3" not in names(db):
        raise NotFoundError("there is no 3")
    return Note(id="3", rows=len(names(db)))


async def test_i4_what_an_old_version_would_refuse_is_decided_on_the_newest() -> None:
    objects = MemoryObjects()
    here, there = opened(objects), opened(objects)
    await here.commit(OWNER, TAB, add("1"), Note)
    await there.commit(OWNER, TAB, add("3"), Note)
    assert await here.commit(OWNER, TAB, missing, Note) == Note(id="3", rows=2)


# I5: a freshness time belongs to the version that it validated, and is taken when the probe was sent.


@pytest.mark.parametrize("how", ["open", "look", "commit"])
async def test_i5_a_version_is_as_old_as_the_request_that_found_it(how: str) -> None:
    """Its answer is long on the way: the age of a stale read counts from the sending."""
    objects = GatedObjects()
    await opened(objects).commit(OWNER, TAB, add("1"), Note)
    libraries = opened(objects)
    if how != "open":
        await read(libraries)
    gate = {
        "open": objects.hold_answer("list", KEYS.log_prefix(OWNER, 0)),
        "look": objects.hold_answer("get", key(2)),
        "commit": objects.hold_answer("create", key(2)),
    }[how]
    work = libraries.commit(OWNER, TAB, add("2"), Note) if how == "commit" else read(libraries)
    async with under_way(work, gate):
        await some_time_passes()
    down(objects, "get", "list")
    asked_at = asyncio.get_running_loop().time()
    outcome = await asked(read(libraries))
    assert outcome.answer == (["1", "2"] if how == "commit" else ["1"])
    assert outcome.report.status == "stale"
    assert outcome.report.age_s is not None
    assert outcome.report.age_s >= asked_at - gate.reached_at


async def test_i5_a_look_that_found_nothing_behind_an_old_version_says_nothing_of_a_newer_one() -> None:
    """A create that was sent before the look lands behind it; the look's answer comes last."""
    objects = GatedObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    creating, looking = objects.hold_request("create", key(2)), objects.hold_answer("get", key(2))
    async with under_way(libraries.commit(OWNER, TAB, add("2"), Note), creating):
        await some_time_passes()
        look = asyncio.create_task(read(libraries))
        await looking.arrived()
    looking.open.set()
    await look
    down(objects, "get", "list")
    asked_at = asyncio.get_running_loop().time()
    outcome = await asked(read(libraries))
    assert outcome.answer == ["1", "2"]
    assert outcome.report.age_s is not None
    assert outcome.report.age_s >= asked_at - creating.reached_at


async def test_i5_a_look_serves_only_those_who_came_before_it_was_sent() -> None:
    objects = GatedObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    looking = objects.hold_answer("get", key(2))
    async with under_way(read(libraries), looking) as early:
        await opened(objects).commit(OWNER, TAB, add("2"), Note)
        late = asyncio.create_task(read(libraries))
        objects.calls.clear()
    assert await early == ["1"]
    assert await late == ["1", "2"]


async def test_i5_a_stale_read_is_never_older_than_what_the_client_saw() -> None:
    objects = MemoryObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    down(objects, "get", "list")
    assert (await asked(read(libraries), seen_version=1)).answer == ["1"]
    assert isinstance((await asked(read(libraries), seen_version=2)).answer, StoreUnavailableError)


# I6: a success answer and a COMPLETE message follow the durable commit.


async def test_i6_nobody_hears_of_a_change_before_it_is_durable() -> None:
    """Not who made it, not who reads, and not who carries out its effects."""
    objects = GatedObjects()
    libraries = opened(objects)
    carried_out: list[str] = []

    async def carry_out(_: object, body: str) -> None:
        carried_out.append(body)

    def with_effect(db: sqlite3.Connection) -> Note:
        outbox.post(db, "charge", "2 credits")
        return add("2")(db)

    libraries.carry_out("charge", carry_out)
    await libraries.commit(OWNER, TAB, add("1"), Note)
    gate = objects.hold_request("create", key(2))
    async with under_way(libraries.commit(OWNER, TAB, with_effect, Note), gate) as writing:
        for _ in range(3):
            assert await read(libraries) == ["1"]
        assert not writing.done()
        assert carried_out == []
        assert key(2) not in objects.bodies
    assert await writing == Note(id="2", rows=2)
    assert await read(libraries) == ["1", "2"]
    await until_true(lambda: carried_out == ["2 credits"])
    await libraries.close()


async def test_i6_an_export_is_complete_when_its_reel_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    tell = ProgressHub.publish

    def publish(hub: ProgressHub[Any], at: Any, message: Any) -> None:
        told.append(message.type)
        tell(hub, at, message)

    monkeypatch.setattr(ProgressHub, "publish", publish)
    async with running_backend() as backend:
        backend.renderer.automatic = False
        export = await backend.export((await backend.project())["id"])
        await until_true(lambda: backend.renderer.waited_for("call-1"))
        lost: list[str] = []

        def fault(call: str, at: str) -> str | None:
            """Of the records that end the export only the first arrives: that it is rendered."""
            if call != "create" or "/log/" not in at:
                return None
            lost.append(at)
            return "before" if at != lost[0] else None

        backend.memory.objects.fault = fault
        backend.renderer.finish("call-1")
        await until_true(lambda: len(lost) > 2)
        assert "complete" not in told
        backend.memory.objects.fault = lambda call, at: None
        await backend.export_becomes(export["id"], "complete")
        await until_true(lambda: told[-1] == "complete")


# I7: a failed decode is an error, never an empty list.


async def test_i7_a_record_that_is_listed_and_not_found_is_an_error() -> None:
    class Vanishing(MemoryObjects):
        async def get(self, key: str) -> Stored | None:
            self.calls.append(("get", key))
            return None

    objects = Vanishing()
    objects.bodies = dict(SMALL.bodies)
    with pytest.raises(StoreUnavailableError):
        await read(opened(objects))


async def test_i7_a_record_of_each_kind_is_read_or_an_error() -> None:
    objects = MemoryObjects()
    objects.bodies = dict(LARGE.bodies)
    assert await read(opened(objects)) == LARGE.names
    for damage in (b"", objects.bodies[key(1)][:-1], bytes(1000)):
        for seq in (1, 2):
            objects.bodies = LARGE.bodies | {key(seq): damage}
            with pytest.raises(UnreadableLibraryError):
                await read(opened(objects))
    del objects.bodies[key(1)]
    with pytest.raises(UnreadableLibraryError):
        await read(opened(objects))


async def test_i7_an_old_database_that_is_corrupt_is_an_error() -> None:
    objects = MemoryObjects()
    image = image_with(*map(str, range(500)))
    objects.bodies = {KEYS.legacy_database(OWNER): image[:-8192] + bytes(8192)}
    with pytest.raises(ImportRefusedError):
        await read(opened(objects))
    assert len(objects.bodies) == 1


async def test_i7_a_store_that_does_not_answer_is_an_error() -> None:
    objects = MemoryObjects()
    objects.bodies = dict(SMALL.bodies)
    for call in ("list", "get"):
        down(objects, call)
        assert isinstance((await asked(read(opened(objects)))).answer, StoreUnavailableError)


async def test_i7_what_was_read_before_does_not_hide_that_the_newest_does_not_decode() -> None:
    objects = MemoryObjects()
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB, filled("1", 100), Note)
    objects.bodies[key(2)] = b"damaged"
    for _ in range(2):
        assert isinstance((await asked(read(libraries))).answer, UnreadableLibraryError)


# That they can fail.


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.breaks}: {mutation.new.strip()}")
def test_every_line_that_is_mutated_is_there_once_and_so_is_its_test(mutation: Mutation) -> None:
    assert occurrences(mutation) == 1
    assert mutation.old != mutation.new
    path, _, name = mutation.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()


def test_every_invariant_has_two_mutations_and_the_documentation_names_them_all() -> None:
    for invariant in ("I1", "I2", "I3", "I4", "I5", "I6", "I7"):
        assert sum(mutation.breaks == invariant for mutation in MUTATIONS) >= 2
    assert table() in "".join(path.read_text() for path in (ROOT / "tests/library").glob("*.md"))
