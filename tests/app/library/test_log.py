import asyncio
from collections.abc import Callable

import pytest

from app.library.log import RecordLog
from app.library.record import Place
from app.storage.port import StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER
from tests.app.memory_storage import MemoryObjects

FIRST = Place(OWNER, 0, 1)


def log(objects: MemoryObjects, deadline_s: float = 5.0) -> RecordLog:
    return RecordLog(objects, KEYS, OWNER, deadline_s)


@pytest.fixture
async def each_create_takes_300_s(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called by a store for each create: the loop's clock goes forward, however fast the test runs."""
    ahead_s = 0.0

    def take() -> None:
        nonlocal ahead_s
        ahead_s += 300

    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + ahead_s)
    return take


def failing(times: int, how: str) -> tuple[MemoryObjects, list[str]]:
    """A store whose first creates fail."""
    objects = MemoryObjects()
    failed: list[str] = []

    def fault(call: str, key: str) -> str | None:
        if call != "create" or len(failed) >= times:
            return None
        failed.append(key)
        return how

    objects.fault = fault
    return objects, failed


async def test_an_empty_log_has_no_newest() -> None:
    assert await log(MemoryObjects()).newest(0) is None


async def test_the_newest_record_of_a_generation_is_found_in_two_calls() -> None:
    objects = MemoryObjects()
    for seq in range(1, 12):
        assert await log(objects).append(Place(OWNER, 0, seq), b"%d" % seq) is None
    assert await log(objects).append(Place(OWNER, 1, 99), b"of another generation") is None
    objects.calls.clear()
    assert await log(objects).newest(0) == (Place(OWNER, 0, 11), b"11")
    assert [call for call, _ in objects.calls] == ["list", "get"]


async def test_a_taken_number_gives_the_other_writers_record() -> None:
    objects = MemoryObjects()
    await log(objects).append(FIRST, b"mine")
    assert await log(objects).append(FIRST, b"yours") == b"mine"
    assert objects.bodies[KEYS.log_record(OWNER, 0, 1)] == b"mine"


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_lost_answer_is_followed_by_the_same_bytes_and_ends_as_ours(how: str) -> None:
    objects, failed = failing(2, how)
    assert await log(objects).append(FIRST, b"mine") is None
    assert len(failed) == 2
    assert objects.bodies[KEYS.log_record(OWNER, 0, 1)] == b"mine"


async def test_a_lost_answer_behind_another_writer_is_a_conflict() -> None:
    objects, _ = failing(1, "after")
    objects.bodies[KEYS.log_record(OWNER, 0, 1)] = b"theirs"
    assert await log(objects).append(FIRST, b"mine") == b"theirs"


async def test_nobody_knowing_is_an_error_and_neither_success_nor_conflict(
    each_create_takes_300_s: Callable[[], None],
) -> None:
    objects, failed = failing(10**6, "after")
    lose = objects.fault

    def fault(call: str, key: str) -> str | None:
        if call == "create":
            each_create_takes_300_s()
        return lose(call, key)

    objects.fault = fault
    with pytest.raises(StoreUnavailableError):
        await log(objects, deadline_s=1000).append(FIRST, b"mine")
    assert len(failed) == 4


async def test_exists_without_a_body_is_asked_again_until_the_deadline(
    each_create_takes_300_s: Callable[[], None],
) -> None:
    class Hiding(MemoryObjects):
        async def create(self, key: str, body: bytes) -> str | None:
            self.calls.append(("create", key))
            each_create_takes_300_s()
            return None

    objects = Hiding()
    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        await log(objects, deadline_s=1000).append(FIRST, b"mine")
    assert objects.count("create") == 4
