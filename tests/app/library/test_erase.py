from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from app.kit.owner import Owner
from app.library.erase import SWEEP_AFTER, Erased, Eraser
from app.library.errors import StaleSessionError
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.record import TOMBSTONE_BYTES, Header, Place, parse
from app.library.retention import tombstone_of
from app.library.verify import Verification
from app.storage.port import ListedObject, StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects

TAB_1, TAB_2 = Intent("tab-1"), Intent("tab-2")
OTHER_PROFILE, OTHER_USER = Owner("a", "coach"), Owner("b", "default")
START = datetime(2026, 11, 22, tzinfo=UTC)
GARBAGE = b"RBLIB2\nwhat a broken disk gives"
SECRET = "only-this-family"


class Timed(MemoryObjects):
    """A store whose clock the test sets; the commands read the same."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.clock = lambda: self.now


@pytest.fixture
def objects() -> Timed:
    return Timed()


async def erase(objects: Timed, *, again: bool = False) -> Erased:
    return await Eraser(objects, KEYS, "a", objects.clock, deadline_s=0).erase(again=again)


def key(number: int, generation: int = 0, owner: Owner = OWNER) -> str:
    return KEYS.log_record(owner, generation, number)


def header(objects: Timed, number: int, generation: int = 0) -> Header:
    return parse(objects.bodies[key(number, generation)], Place(OWNER, generation, number)).header


async def written(objects: Timed, count: int, owner: Owner = OWNER) -> Libraries:
    libraries = opened(objects)
    for number in range(1, count + 1):
        await libraries.commit(owner, Intent(SECRET), add(f"{SECRET}-{number}"), Note)
    return libraries


async def put(objects: Timed, *keys: str) -> None:
    for each in keys:
        await objects.put(each, SECRET.encode())


def files(owner: Owner) -> list[str]:
    root = KEYS.profile_prefix(owner)
    return [
        KEYS.media(owner, "m-1"),
        KEYS.render(owner, "0" * 64, "e-1"),
        KEYS.legacy_database(owner),
        f"{root}thumbnails/1",
        f"{root}library/notes.txt",
    ]


def keys_of_user(objects: Timed) -> list[str]:
    return [each for each in objects.bodies if each.startswith(KEYS.user_prefix("a"))]


async def filled(objects: Timed) -> None:
    """Two profiles of user a and one of user b, with files and jobs."""
    for owner in (OWNER, OTHER_PROFILE, OTHER_USER):
        await written(objects, 3, owner)
        await put(objects, *files(owner), KEYS.pending_job(owner, "export", "e-1"))
    await put(objects, f"{KEYS.user_prefix('a')}avatar")


def is_erased(objects: Timed) -> bool:
    """Only tombstones and a marker are left of user a, and no name."""
    records = {key(n, 0, owner) for owner in (OWNER, OTHER_PROFILE) for n in (1, 2, 3, 4)}
    bodies = [objects.bodies[each] for each in keys_of_user(objects)]
    sizes = sorted(len(body) == TOMBSTONE_BYTES for body in bodies)
    jobs = [each for each in objects.bodies if each.startswith(f"{KEYS.pending_prefix}a/")]
    return (
        set(keys_of_user(objects)) == records
        and sizes == [False] * 2 + [True] * 6
        and not any(SECRET.encode() in body for body in bodies)
        and not jobs
    )


async def test_of_a_user_only_markers_and_nameless_tombstones_stay(objects: Timed) -> None:
    await filled(objects)
    others = {each: body for each, body in objects.bodies.items() if "/b/" in each}
    done = await erase(objects)
    assert done == Erased(closed=2, overwritten=6, deleted=13, sweep_at=START + SWEEP_AFTER)
    assert is_erased(objects)
    assert {each: body for each, body in objects.bodies.items() if "/b/" in each} == others
    assert header(objects, 4).kind == "erased"
    assert await read(opened(objects)) == []
    assert [finding async for finding in Verification(objects, KEYS, OWNER).findings()] == []


async def test_tombstones_keep_their_place_and_lose_their_names(objects: Timed) -> None:
    await written(objects, 2)
    before = [header(objects, number) for number in (1, 2)]
    record = parse(objects.bodies[key(1)], Place(OWNER, 0, 1))
    objects.bodies[key(1)] = tombstone_of(record.header, record.sha256, with_writers=True)
    await erase(objects)
    after = [header(objects, number) for number in (1, 2)]
    assert [(each.kind, each.writers, each.committed_at) for each in after] == [("tombstone", (), "")] * 2
    assert [(each.nonce, each.prev_sha256) for each in after] == [(each.nonce, each.prev_sha256) for each in before]
    assert after[0].buried_sha256 == header(objects, 2).prev_sha256


async def test_a_second_run_changes_nothing(objects: Timed) -> None:
    await filled(objects)
    await erase(objects)
    before = dict(objects.bodies)
    assert await erase(objects) == Erased(closed=0, overwritten=0, deleted=0, sweep_at=START + SWEEP_AFTER)
    assert objects.bodies == before


class Killed(BaseException):
    pass


async def test_killed_at_any_call_the_next_run_completes_it() -> None:
    calls = 0
    for last_call in range(1000):
        objects = Timed()
        await filled(objects)
        objects.calls.clear()

        def kill(call: str, at: str, objects: Timed = objects, last_call: int = last_call) -> None:
            if len(objects.calls) > last_call:
                raise Killed

        objects.fault = kill
        try:
            await erase(objects)
            break
        except Killed:
            calls += 1
        objects.fault = lambda call, at: None
        await erase(objects)
        assert is_erased(objects), f"killed at call {last_call}"
    assert calls > 30


async def test_a_lost_answer_to_any_write_leaves_no_second_marker() -> None:
    for lost in range(1000):
        objects = Timed()
        await filled(objects)
        writes = 0

        def lose(call: str, at: str, lost: int = lost) -> str | None:
            nonlocal writes
            writes += call in ("create", "replace", "delete")
            return "after" if call in ("create", "replace") and writes == lost + 1 else None

        objects.fault = lose
        try:
            await erase(objects)
        except StoreUnavailableError:
            await erase(objects)
        assert is_erased(objects), f"the answer to write {lost} was lost"
        if writes <= lost:
            break
    assert lost > 10


async def test_a_library_that_does_not_decode_is_erased_too(objects: Timed) -> None:
    await written(objects, 5)
    for number in (2, 5):
        objects.bodies[key(number)] = GARBAGE + SECRET.encode()
    await erase(objects)
    assert [header(objects, number).kind for number in range(1, 7)] == ["tombstone"] * 5 + ["erased"]
    assert not any(SECRET.encode() in body for body in objects.bodies.values())
    assert await read(opened(objects)) == []
    assert [finding async for finding in Verification(objects, KEYS, OWNER).findings()] == []


async def test_an_old_database_does_not_come_back(objects: Timed) -> None:
    await put(objects, KEYS.legacy_database(OWNER))
    await erase(objects)
    await put(objects, KEYS.legacy_database(OWNER))
    assert keys_of_user(objects) == [key(1), KEYS.legacy_database(OWNER)]
    assert await read(opened(objects)) == []


async def test_nothing_of_a_user_who_has_nothing(objects: Timed) -> None:
    await erase(objects)
    assert objects.bodies == {}


async def test_a_warm_process_finds_the_marker(objects: Timed) -> None:
    newest, older, writer = opened(objects), opened(objects), opened(objects)
    await written(objects, 1)
    assert await read(older) == [f"{SECRET}-1"]
    await opened(objects).commit(OWNER, TAB_1, add("2"), Note)
    for process in (newest, writer):
        await read(process)
    await erase(objects)
    for process in (newest, older):
        assert await read(process) == []
    with pytest.raises(StaleSessionError):
        await writer.commit(OWNER, Intent("tab-1", seen_version=2), add("3"), Note)
    assert await writer.commit(OWNER, TAB_2, add("3"), Note) == Note(id="3", rows=1)
    assert key(4, 1) in objects.bodies
    assert await read(newest) == await read(older) == ["3"]


async def test_an_old_tab_must_read_again_also_when_others_wrote_since(objects: Timed) -> None:
    await written(objects, 2)
    await erase(objects)
    old = Intent("tab-1", seen_version=2)
    with pytest.raises(StaleSessionError) as caught:
        await opened(objects).commit(OWNER, old, add("3"), Note)
    assert caught.value.extra["current_version"] == 3
    for session in ("tab-1", "tab-2"):
        await opened(objects).commit(OWNER, Intent(session), add(session), Note)
        with pytest.raises(StaleSessionError):
            await opened(objects).commit(OWNER, old, add("4"), Note)
    await opened(objects).commit(OWNER, Intent("tab-1", seen_version=5), add("4"), Note)


class Contested(Timed):
    """`rival` commits before the next create."""

    rival: Libraries | None = None

    async def create(self, key: str, body: bytes) -> str | None:
        if self.rival is not None:
            rival, self.rival = self.rival, None
            await rival.commit(OWNER, TAB_2, add("rival"), Note)
        return await super().create(key, body)


async def test_what_is_written_before_the_marker_goes_with_it() -> None:
    objects = Contested()
    await written(objects, 1)
    objects.rival = opened(objects)
    await erase(objects)
    assert [header(objects, number).kind for number in (1, 2, 3)] == ["tombstone", "tombstone", "erased"]
    assert await read(opened(objects)) == []


async def test_two_operators_make_one_marker() -> None:
    class Doubled(Timed):
        other = True

        async def create(self, key: str, body: bytes) -> str | None:
            if self.other:
                self.other = False
                await erase(self)
            return await super().create(key, body)

    objects = Doubled()
    objects.other = False
    await written(objects, 2)
    objects.other = True
    await erase(objects)
    assert sorted(objects.bodies) == [key(3), key(2), key(1)]
    assert header(objects, 3).kind == "erased"


async def test_a_late_run_sweeps_and_keeps_the_marker(objects: Timed) -> None:
    await filled(objects)
    await erase(objects)
    objects.now += SWEEP_AFTER - timedelta(seconds=1)
    await erase(objects)
    assert is_erased(objects)
    objects.now += timedelta(seconds=1)
    late = [KEYS.render(OWNER, "1" * 64, "e-2"), KEYS.pending_job(OWNER, "export", "e-2")]
    await put(objects, *late)
    assert await erase(objects) == Erased(closed=0, overwritten=0, deleted=2, sweep_at=None)
    assert is_erased(objects)
    assert await read(opened(objects)) == []


async def test_who_stalled_before_the_marker_finds_it_after_the_sweep(objects: Timed) -> None:
    process = await written(objects, 1)
    for name in ("2", "3"):
        await opened(objects).commit(OWNER, TAB_1, add(name), Note)
    await erase(objects)
    objects.now += SWEEP_AFTER
    await erase(objects)
    await process.commit(OWNER, TAB_1, add("late"), Note)
    assert key(5, 1) in objects.bodies
    assert await read(process) == ["late"]


async def test_a_library_that_is_used_again_is_not_touched_by_the_sweep(objects: Timed) -> None:
    await filled(objects)
    await erase(objects)
    objects.now += timedelta(hours=1)
    process = opened(objects)
    await process.commit(OWNER, TAB_1, add("new"), Note)
    new = [KEYS.media(OWNER, "m-2"), KEYS.pending_job(OWNER, "probe", "m-2"), f"{KEYS.user_prefix('a')}avatar"]
    await put(objects, *new)
    kept = {each: objects.bodies[each] for each in [*new, key(5, 1)]}
    assert await erase(objects) == Erased(closed=0, overwritten=0, deleted=0, sweep_at=START + SWEEP_AFTER)
    objects.now += SWEEP_AFTER
    await erase(objects)
    assert {each: objects.bodies.get(each) for each in kept} == kept
    living = [each for each in keys_of_user(objects) if len(objects.bodies[each]) != TOMBSTONE_BYTES]
    assert sorted(living) == sorted([key(4), key(4, 0, OTHER_PROFILE), key(5, 1), *new[:1], new[2]])
    assert await read(opened(objects)) == ["new"]


async def test_what_comes_while_objects_are_listed_is_seen_to_be_new() -> None:
    """A listing is not of one moment: here its records are older than its files."""

    class Slow(Timed):
        listings_until_it_comes_back = 0

        async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
            records = [info for info in await super().list_infos(prefix) if "/log/" in info.key]
            self.listings_until_it_comes_back -= prefix == KEYS.user_prefix("a")
            if self.listings_until_it_comes_back == 0:
                self.listings_until_it_comes_back = -1
                self.now += timedelta(hours=1)
                await opened(self).commit(OWNER, TAB_1, add("new"), Note)
                await put(self, KEYS.media(OWNER, "m-2"))
            others = [info for info in await super().list_infos(prefix) if "/log/" not in info.key]
            return sorted([*records, *others])

    objects = Slow()
    await written(objects, 1)
    await erase(objects)
    # A run lists twice: what is to be closed, then what is to go.
    objects.listings_until_it_comes_back = 2
    await erase(objects)
    assert sorted(objects.bodies) == sorted([key(1), key(2), key(3, 1), KEYS.media(OWNER, "m-2")])


async def test_files_of_before_the_marker_go_though_the_library_is_used_again(objects: Timed) -> None:
    """As after a run that was killed before it came to them."""
    await written(objects, 1)
    old = [KEYS.media(OWNER, "m-1"), KEYS.pending_job(OWNER, "export", "e-1"), f"{KEYS.user_prefix('a')}avatar"]
    await put(objects, *old)

    def kill(call: str, at: str) -> None:
        if call in ("replace", "delete"):
            raise Killed

    objects.now += timedelta(seconds=1)
    objects.fault = kill
    with pytest.raises(Killed):
        await erase(objects)
    objects.fault = lambda call, at: None
    await opened(objects).commit(OWNER, TAB_1, add("new"), Note)
    await erase(objects)
    assert sorted(objects.bodies) == sorted([key(1), key(2), key(3, 1)])
    assert header(objects, 1).kind == "tombstone"


async def test_what_is_used_again_is_erased_when_asked_for(objects: Timed) -> None:
    await written(objects, 2)
    await erase(objects)
    objects.now += timedelta(hours=1)
    await opened(objects).commit(OWNER, Intent(SECRET), add(SECRET), Note)
    await put(objects, KEYS.media(OWNER, "m-2"))
    done = await erase(objects, again=True)
    assert done == Erased(closed=1, overwritten=1, deleted=1, sweep_at=objects.now + SWEEP_AFTER)
    assert [header(objects, n).kind for n in (1, 2, 3)] == ["tombstone"] * 2 + ["erased"]
    assert [header(objects, n, 1).kind for n in (4, 5)] == ["tombstone", "erased"]
    assert (await erase(objects, again=True)).closed == 0
    objects.now = START + SWEEP_AFTER
    await erase(objects, again=True)
    assert sorted(objects.bodies) == sorted([key(1), key(2), key(3), key(4, 1), key(5, 1)])
    assert await read(opened(objects)) == []
