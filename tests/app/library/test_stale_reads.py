"""Reads while the store is down: from the cached version if the request permits it, and marked as stale; else 503."""

import asyncio

import pytest

from app.library import libraries as libraries_module
from app.library import log
from app.library.context import SyncReport, begin_report
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.storage.port import StoreUnavailableError
from tests.app.library.held import HeldObjects
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")


class Clock:
    """The running loop's, which a test sets forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_s = 0.0
        loop = asyncio.get_running_loop()
        self._real = loop.time
        self._began = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self._real() + self.ahead_s)

    def stop(self) -> None:
        """From now on only the test sets it forward, and no timer of the loop runs."""
        at = self._real()
        self._real = lambda: at

    def about(self, seconds: float) -> object:
        """Equal to what this clock showed `seconds` ago, whatever time the test itself has taken."""
        taken = self._real() - self._began
        return pytest.approx(seconds + taken / 2, abs=taken / 2 + 0.001)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def objects() -> HeldObjects:
    return HeldObjects()


async def warm(objects: MemoryObjects) -> Libraries:
    libraries = opened(objects)
    await libraries.commit(OWNER, TAB_1, add("1"), Note)
    return libraries


def go_down(objects: MemoryObjects) -> None:
    objects.fault = lambda call, key: "before"


def come_back(objects: MemoryObjects) -> None:
    objects.fault = lambda call, key: None


async def get_request(libraries: Libraries, seen_version: int | None = None) -> tuple[list[str], SyncReport]:
    """A read as a GET request makes it."""
    report = begin_report(may_be_stale=True, seen_version=seen_version)
    return await read(libraries), report


async def test_a_get_request_gets_what_was_known_marked_as_stale_with_its_age(
    objects: HeldObjects, clock: Clock
) -> None:
    libraries = await warm(objects)
    go_down(objects)
    clock.ahead_s = 90
    found, report = await get_request(libraries)
    assert found == ["1"]
    assert (report.status, report.version) == ("stale", 1)
    assert report.age_s == clock.about(90)


async def test_while_the_store_answers_nothing_is_stale(objects: HeldObjects, clock: Clock) -> None:
    libraries = await warm(objects)
    clock.ahead_s = 90
    _, report = await get_request(libraries)
    assert (report.status, report.version, report.age_s) == ("synced", 1, None)


async def test_what_is_not_a_get_request_is_never_stale(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    go_down(objects)
    report = begin_report(may_be_stale=False)
    with pytest.raises(StoreUnavailableError):
        await read(libraries)
    assert (report.status, report.version) == (None, None)


async def test_a_background_job_is_never_stale(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    go_down(objects)
    with pytest.raises(StoreUnavailableError):
        await read(libraries)


async def test_a_job_that_a_get_request_started_is_no_part_of_it(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    go_down(objects)
    _, report = await get_request(libraries)
    with pytest.raises(StoreUnavailableError):
        await asyncio.create_task(read(libraries))
    assert report.status == "stale"


@pytest.mark.parametrize(("seen_version", "is_answered"), [(None, True), (0, True), (1, True), (2, False)])
async def test_nobody_gets_what_is_older_than_what_they_saw(
    objects: HeldObjects, seen_version: int | None, *, is_answered: bool
) -> None:
    libraries = await warm(objects)
    go_down(objects)
    if is_answered:
        assert (await get_request(libraries, seen_version))[0] == ["1"]
    else:
        with pytest.raises(StoreUnavailableError):
            await get_request(libraries, seen_version)


@pytest.mark.parametrize(("age_s", "is_answered"), [(590, True), (610, False)])
async def test_there_is_an_age_beyond_which_nothing_is_answered(
    objects: HeldObjects, clock: Clock, age_s: float, *, is_answered: bool
) -> None:
    clock.stop()
    libraries = await warm(objects)
    go_down(objects)
    clock.ahead_s = age_s
    if is_answered:
        assert (await get_request(libraries))[0] == ["1"]
    else:
        with pytest.raises(StoreUnavailableError):
            await get_request(libraries)


async def test_a_library_that_was_not_open_is_not_answered(objects: HeldObjects) -> None:
    await warm(objects)
    go_down(objects)
    with pytest.raises(StoreUnavailableError):
        await get_request(opened(objects))


async def test_a_record_that_does_not_decode_is_never_hidden_by_an_older_version(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    objects.bodies[KEYS.log_record(OWNER, 0, 2)] = b"RBLIB2\n damaged"
    with pytest.raises(UnreadableLibraryError):
        await get_request(libraries)
    go_down(objects)
    with pytest.raises(StoreUnavailableError):
        await get_request(libraries)


async def test_a_record_of_a_newer_release_is_never_hidden_by_an_older_version(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    objects.bodies[KEYS.log_record(OWNER, 0, 2)] = b"RBLIB3\n of the next release"
    with pytest.raises(NewerSchemaError):
        await get_request(libraries)


async def test_a_write_of_unknown_fate_leaves_what_was_confirmed_before_it(
    objects: HeldObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_FIRST_PAUSE_S", 100.0)
    libraries = await warm(objects)
    go_down(objects)
    with pytest.raises(StoreUnavailableError):
        await libraries.commit(OWNER, TAB_1, add("2"), Note)
    found, report = await get_request(libraries)
    assert (found, report.status, report.version) == (["1"], "stale", 1)


async def test_a_store_that_stays_silent_is_waited_for_a_moment_only(
    objects: HeldObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries_module, "_PATIENCE_S", 0.0)
    libraries = await warm(objects)
    objects.hold("get")
    found, report = await get_request(libraries)
    assert (found, report.status) == (["1"], "stale")
    objects.release("get")
    assert await read(libraries) == ["1"]


async def test_the_age_counts_from_when_the_look_was_sent(objects: HeldObjects, clock: Clock) -> None:
    """What came to be after that moment it cannot have seen."""
    libraries = await warm(objects)
    clock.ahead_s = 1000
    objects.hold_answers("get")
    looking = asyncio.create_task(read(libraries))
    await objects.held("get")
    clock.ahead_s = 1100
    objects.release("get")
    await looking
    go_down(objects)
    clock.ahead_s = 1300
    _, report = await get_request(libraries)
    assert report.age_s == clock.about(300)


async def test_the_age_of_a_version_made_here_counts_from_when_its_record_was_sent(
    objects: HeldObjects, clock: Clock
) -> None:
    libraries = await warm(objects)
    objects.hold_answers("create")
    committing = asyncio.create_task(libraries.commit(OWNER, TAB_1, add("2"), Note))
    await objects.held("create")
    clock.ahead_s = 100
    objects.release("create")
    await committing
    go_down(objects)
    found, report = await get_request(libraries)
    assert found == ["1", "2"]
    assert report.age_s == clock.about(100)


async def test_the_age_of_a_version_of_another_process_counts_from_the_look_that_found_none_newer(
    objects: HeldObjects, clock: Clock
) -> None:
    libraries = await warm(objects)
    await opened(MemoryOf(objects)).commit(OWNER, TAB_2, add("2"), Note)
    clock.ahead_s = 500
    assert await read(libraries) == ["1", "2"]
    go_down(objects)
    clock.ahead_s = 700
    found, report = await get_request(libraries)
    assert found == ["1", "2"]
    assert report.age_s == clock.about(200)


class MemoryOf(MemoryObjects):
    """The same bucket as another process has it."""

    def __init__(self, objects: MemoryObjects) -> None:
        super().__init__()
        self.bodies = objects.bodies


async def test_a_late_answer_of_an_early_look_makes_nothing_younger_or_older(
    objects: HeldObjects, clock: Clock
) -> None:
    """A commit validated the version after the look was sent; the look's answer comes last."""
    libraries = await warm(objects)
    objects.hold_answers("get")
    looking = asyncio.create_task(read(libraries))
    await objects.held("get")
    clock.ahead_s = 100
    await libraries.commit(OWNER, TAB_1, add("2"), Note)
    objects.release("get")
    assert await looking == ["1", "2"]
    go_down(objects)
    clock.ahead_s = 150
    found, report = await get_request(libraries)
    assert found == ["1", "2"]
    assert report.age_s == clock.about(50)


async def test_a_store_that_came_back_is_asked_at_once(objects: HeldObjects) -> None:
    libraries = await warm(objects)
    go_down(objects)
    await get_request(libraries)
    come_back(objects)
    await opened(MemoryOf(objects)).commit(OWNER, TAB_2, add("2"), Note)
    found, report = await get_request(libraries)
    assert found == ["1", "2"]
    assert (report.status, report.version, report.age_s) == ("synced", 2, None)


async def test_of_several_reads_in_a_request_the_stalest_counts(objects: HeldObjects, clock: Clock) -> None:
    libraries = await warm(objects)
    go_down(objects)
    clock.ahead_s = 60
    _, report = await get_request(libraries)
    come_back(objects)
    await read(libraries)
    assert report.status == "stale"
    assert report.age_s == clock.about(60)


async def test_a_version_behind_which_nobody_looked_is_no_younger_than_the_last_look(
    objects: HeldObjects, clock: Clock
) -> None:
    libraries = await warm(objects)
    for name in ("2", "3"):
        await opened(objects).commit(OWNER, TAB_2, add(name), Note)
    clock.ahead_s = 300
    third = KEYS.log_record(OWNER, 0, 3)
    objects.fault = lambda call, key: "before" if key == third else None
    for _ in range(2):
        found, report = await get_request(libraries)
    assert found == ["1", "2"]
    assert report.age_s == clock.about(300)
