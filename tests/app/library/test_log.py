import pytest

from app.library.log import RecordLog
from app.library.record import Place
from app.storage.port import StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER
from tests.app.memory_storage import MemoryObjects

FIRST = Place(OWNER, 0, 1)


def log(objects: MemoryObjects, deadline_s: float = 5.0) -> RecordLog:
    return RecordLog(objects, KEYS, OWNER, deadline_s)


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


async def test_nobody_knowing_is_an_error_and_neither_success_nor_conflict() -> None:
    objects, failed = failing(10**6, "after")
    with pytest.raises(StoreUnavailableError):
        await log(objects, deadline_s=0.2).append(FIRST, b"mine")
    assert len(failed) >= 2


async def test_exists_without_a_body_is_asked_again_until_the_deadline() -> None:
    class Hiding(MemoryObjects):
        async def create(self, key: str, body: bytes) -> str | None:
            self.calls.append(("create", key))
            return None

    objects = Hiding()
    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        await log(objects, deadline_s=0.2).append(FIRST, b"mine")
    assert objects.count("create") >= 2
