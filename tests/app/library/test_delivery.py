"""Effects are carried out after their commit, at least once, by whoever committed or by the next that opens."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from app.kit.owner import Owner
from app.library import delivery, outbox
from app.library.context import begin_report
from app.library.delivery import Deliveries
from app.library.intent import SYSTEM, Intent
from app.library.libraries import Libraries
from app.library.outbox import Effect
from tests.app.library.held import HeldObjects
from tests.app.library.notes import OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import until, until_true

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")
OTHER = Owner("b", "default")


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE_S", 0.0)


class Carrier:
    """Carries out by writing down; fails for the first `failures`, or hangs."""

    def __init__(self, *, failures: int = 0, hangs: bool = False) -> None:
        self.carried: list[str] = []
        self.tries = 0
        self._failures = failures
        self._hangs = hangs

    async def __call__(self, owner: Owner, body_json: str) -> None:
        self.tries += 1
        if self.tries <= self._failures:
            raise ConnectionError("nobody there")
        if self._hangs:
            await asyncio.Event().wait()
        self.carried.append(body_json)


@asynccontextmanager
async def process(objects: MemoryObjects, **carriers: Carrier) -> AsyncIterator[Libraries]:
    libraries = opened(objects)
    for topic, carrier in carriers.items():
        libraries.carry_out(topic, carrier)
    try:
        yield libraries
    finally:
        await libraries.close()


def post(*bodies: str, topic: str = "topic") -> Callable[[sqlite3.Connection], Note]:
    def handler(db: sqlite3.Connection) -> Note:
        for body in bodies:
            outbox.post(db, topic, body)
        return Note(id="", rows=0)

    return handler


async def due(objects: MemoryObjects, owner: Owner = OWNER) -> list[Effect]:
    async with opened(objects).read(owner) as db:
        return outbox.due(db)


async def empty(objects: MemoryObjects, owner: Owner = OWNER) -> None:
    async def look() -> bool | None:
        return not await due(objects, owner) or None

    await until(look)


async def left_by_a_crash(objects: MemoryObjects, *bodies: str) -> None:
    """Committed by a process that ended before anything was carried out."""
    async with process(objects, topic=Carrier(hangs=True)) as libraries:
        await libraries.commit(OWNER, TAB_1, post(*bodies), Note)


async def test_effects_are_carried_out_in_order_and_removed(objects: MemoryObjects) -> None:
    carrier = Carrier()
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1", "2"), Note)
        await libraries.commit(OWNER, TAB_1, post("3"), Note)
        await empty(objects)
    assert carrier.carried == ["1", "2", "3"]


async def test_nothing_is_carried_out_before_the_commit_is_durable() -> None:
    objects, carrier = HeldObjects(), Carrier()
    async with process(objects, topic=carrier) as libraries:
        objects.hold("create")
        committing = asyncio.create_task(libraries.commit(OWNER, TAB_1, post("1"), Note))
        await objects.held("create")
        assert await read(libraries) == []
        assert carrier.tries == 0
        objects.release("create")
        await committing
        await empty(objects)
    assert carrier.carried == ["1"]


async def test_a_commit_does_not_wait_for_its_effects(objects: MemoryObjects) -> None:
    carrier = Carrier(hangs=True)
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await until_true(lambda: carrier.tries == 1)
        assert await libraries.commit(OWNER, TAB_1, add("1"), Note) == Note(id="1", rows=1)


async def test_an_effect_that_fails_is_tried_again_until_it_succeeds(
    objects: MemoryObjects, caplog: pytest.LogCaptureFixture
) -> None:
    carrier = Carrier(failures=5)
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await empty(objects)
    assert carrier.carried == ["1"]
    assert carrier.tries == 6
    assert "nobody there" in caplog.text


async def test_pauses_between_tries_grow_to_a_minute_and_begin_anew_after_a_success(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    pauses: list[float] = []

    async def note_pause(pause_s: float) -> None:
        pauses.append(pause_s)

    plain = {name: getattr(asyncio, name) for name in ("create_task", "gather")}
    monkeypatch.setattr(delivery, "asyncio", SimpleNamespace(**plain, sleep=note_pause))
    carrier = Carrier(failures=8)
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await empty(objects)
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
        carrier.tries = 7
        await libraries.commit(OWNER, TAB_1, post("2"), Note)
        await empty(objects)
    assert pauses[8:] == [1]


@pytest.mark.parametrize("open_by", ["read", "commit"])
async def test_the_next_process_that_opens_the_library_carries_out_what_a_crash_left(
    objects: MemoryObjects, open_by: str
) -> None:
    await left_by_a_crash(objects, "1", "2")
    assert len(await due(objects)) == 2
    carrier = Carrier()
    async with process(objects, topic=carrier) as libraries:
        if open_by == "read":
            await read(libraries)
        else:
            await libraries.commit(OWNER, TAB_2, add("1"), Note)
        await empty(objects)
    assert carrier.carried == ["1", "2"]


async def test_an_effect_whose_removal_is_lost_is_carried_out_again(objects: MemoryObjects) -> None:
    """At least once: the carrier has to bear it."""
    carrier = Carrier()
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await empty(objects)
        await left_by_a_crash(objects, "2")
        objects.fault = lambda call, key: "before" if call == "create" and carrier.tries == 2 else None
        libraries_2 = Libraries(objects, libraries._keys, deadline_s=0.0)
        libraries_2.carry_out("topic", carrier)
        await read(libraries_2)
        await empty(objects)
        await libraries_2.close()
    assert carrier.carried == ["1", "2", "2"]


async def test_two_processes_may_carry_out_the_same_effect(objects: MemoryObjects) -> None:
    both = asyncio.Barrier(2)

    class Meeting(Carrier):
        async def __call__(self, owner: Owner, body_json: str) -> None:
            await both.wait()
            await super().__call__(owner, body_json)

    await left_by_a_crash(objects, "1")
    carrier = Meeting()
    async with process(objects, topic=carrier) as here, process(objects, topic=carrier) as there:
        await asyncio.gather(read(here), read(there))
        await empty(objects)
        assert await read(here) == await read(there) == []
    assert carrier.carried == ["1", "1"]


async def test_an_unknown_topic_is_left_and_logged_and_holds_up_nothing(
    objects: MemoryObjects, caplog: pytest.LogCaptureFixture
) -> None:
    carrier = Carrier()
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("of a newer release", topic="later"), Note)
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await until_true(lambda: carrier.carried == ["1"])

        async def only_unknown() -> bool | None:
            return [effect.topic for effect in await due(objects)] == ["later"] or None

        await until(only_unknown)
    assert "library a/default has an effect of unknown topic 'later'; it is left" in caplog.text
    newer = Carrier()
    async with process(objects, later=newer) as libraries:
        await read(libraries)
        await empty(objects)
    assert newer.carried == ["of a newer release"]


async def test_owners_do_not_wait_for_each_other(objects: MemoryObjects) -> None:
    class Stuck(Carrier):
        async def __call__(self, owner: Owner, body_json: str) -> None:
            if owner == OWNER:
                await asyncio.Event().wait()
            await super().__call__(owner, body_json)

    carrier = Stuck()
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, TAB_1, post("a"), Note)
        await libraries.commit(OTHER, TAB_1, post("b"), Note)
        await empty(objects, OTHER)
    assert carrier.carried == ["b"]
    assert len(await due(objects)) == 1


async def test_a_library_without_effects_costs_no_delivery(objects: MemoryObjects) -> None:
    async with process(objects, topic=Carrier()) as libraries:
        await libraries.commit(OWNER, TAB_1, add("1"), Note)
        objects.calls.clear()
        await libraries.commit(OWNER, TAB_1, add("2"), Note)
    assert [call for call, _ in objects.calls] == ["create"]


async def test_taking_an_effect_out_conflicts_with_nobody(objects: MemoryObjects) -> None:
    async with process(objects, topic=Carrier()) as libraries:
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await empty(objects)
        assert await libraries.commit(OWNER, Intent("tab-1", seen_version=1), add("1"), Note) == Note(id="1", rows=1)


async def test_the_request_that_posted_is_not_told_of_later_versions(objects: MemoryObjects) -> None:
    """It would not notice what another session did between its own version and the one that removes the effect."""
    async with process(objects, topic=Carrier()) as libraries:
        report = begin_report(may_be_stale=True)
        await libraries.commit(OWNER, TAB_1, post("1"), Note)
        await asyncio.create_task(empty(objects))
    assert report.version == 1
    assert len(objects.bodies) == 2


async def test_a_wake_during_a_delivery_is_not_lost() -> None:
    """What is posted after the look at the outbox is found by the next look."""
    rows = [Effect(1, "topic", "1")]
    carried: list[str] = []

    async def find(owner: Owner) -> list[Effect]:
        return list(rows)

    async def remove(owner: Owner, effect: Effect) -> None:
        rows.remove(effect)

    async def carry_out(owner: Owner, body_json: str) -> None:
        carried.append(body_json)
        if body_json == "1":
            rows.append(Effect(2, "topic", "2"))
            deliveries.wake(owner)

    deliveries = Deliveries(find, remove)
    deliveries.register("topic", carry_out)
    deliveries.wake(OWNER)
    await until_true(lambda: rows == [])
    await deliveries.close()
    assert carried == ["1", "2"]


async def test_pauses_begin_anew_with_what_comes_after_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the delivery has not come to its end in between."""
    monkeypatch.undo()
    pauses: list[float] = []

    async def note_pause(pause_s: float) -> None:
        pauses.append(pause_s)

    plain = {name: getattr(asyncio, name) for name in ("create_task", "gather")}
    monkeypatch.setattr(delivery, "asyncio", SimpleNamespace(**plain, sleep=note_pause))
    rows, failures = [Effect(1, "topic", "1")], iter([True, True, False, True, False])

    async def find(owner: Owner) -> list[Effect]:
        return list(rows)

    async def remove(owner: Owner, effect: Effect) -> None:
        rows.remove(effect)
        if effect.id == 1:
            rows.append(Effect(2, "topic", "2"))
            deliveries.wake(owner)

    async def carry_out(owner: Owner, body_json: str) -> None:
        if next(failures):
            raise ConnectionError("nobody there")

    deliveries = Deliveries(find, remove)
    deliveries.register("topic", carry_out)
    deliveries.wake(OWNER)
    await until_true(lambda: rows == [])
    await deliveries.close()
    assert pauses == [1, 2, 1]


async def test_closing_ends_a_delivery_and_leaves_its_row(objects: MemoryObjects) -> None:
    carrier = Carrier(hangs=True)
    async with process(objects, topic=carrier) as libraries:
        await libraries.commit(OWNER, SYSTEM, post("1"), Note)
        await until_true(lambda: carrier.tries == 1)
    assert carrier.carried == []
    assert len(await due(objects)) == 1


async def test_closing_leaves_no_delivery_behind() -> None:
    """Also not for a commit that was under way when it began."""
    objects, carrier = HeldObjects(), Carrier(hangs=True)
    libraries = opened(objects)
    libraries.carry_out("topic", carrier)
    objects.hold("create")
    committing = asyncio.create_task(libraries.commit(OWNER, TAB_1, post("1"), Note))
    await objects.held("create")
    closing = asyncio.create_task(libraries.close())
    await asyncio.sleep(0)
    objects.release("create")
    await asyncio.gather(committing, closing)
    left = [task for task in asyncio.all_tasks() if "_deliver_all" in repr(task)]
    for task in left:
        task.cancel()
    assert left == []


async def test_what_another_process_left_is_carried_out_by_one_that_had_the_library_open(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_OTHERS_AFTER_S", 0.0)
    carrier = Carrier()
    async with process(objects, topic=carrier) as there:
        await there.commit(OWNER, TAB_2, add("1"), Note)
        await left_by_a_crash(objects, "1")
        await read(there)
        await until_true(lambda: carrier.carried == ["1"])


async def test_what_another_process_posted_is_first_left_to_it(objects: MemoryObjects) -> None:
    ours, theirs = Carrier(), Carrier()
    async with process(objects, topic=ours) as here, process(objects, topic=theirs) as there:
        await read(here)
        await there.commit(OWNER, TAB_1, post("1"), Note)
        await read(here)
        await empty(objects)
    assert (ours.carried, theirs.carried) == ([], ["1"])


async def test_an_effect_that_fails_holds_up_no_other(objects: MemoryObjects) -> None:
    bad, good = Carrier(failures=10**6), Carrier()
    async with process(objects, bad=bad, good=good) as libraries:

        def both(db: sqlite3.Connection) -> Note:
            outbox.post(db, "bad", "1")
            outbox.post(db, "good", "2")
            return Note(id="", rows=0)

        await libraries.commit(OWNER, TAB_1, both, Note)
        await until_true(lambda: good.carried == ["2"])
    assert bad.carried == []
