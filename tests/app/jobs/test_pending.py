import os
import subprocess
import sys

import pytest

from app.jobs import pending
from app.jobs.pending import LEASE_S, PendingJobs
from app.storage.keys import Keys
from tests.app.jobs.scripted_kind import job
from tests.app.memory_storage import MemoryObjects

KEYS = Keys("development")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


def process(objects: MemoryObjects, clock: Clock, nonce: str, host: str = "one", pid: int | None = None) -> PendingJobs:
    jobs = PendingJobs(objects, KEYS, nonce, clock)
    jobs._me = pending.Holder(host=host, pid=pid or os.getpid(), nonce=nonce)
    return jobs


async def test_an_announced_job_is_listed_until_it_is_finished(objects: MemoryObjects, clock: Clock) -> None:
    jobs = process(objects, clock, "n1")
    assert await jobs.announce(job()) is not None
    assert await jobs.list() == [job()]
    await jobs.finish(job())
    assert await jobs.list() == []


async def test_a_held_job_is_not_claimed_until_its_lease_runs_out(objects: MemoryObjects, clock: Clock) -> None:
    first, second = process(objects, clock, "n1"), process(objects, clock, "n2", host="two")
    lease = await first.announce(job())
    assert lease is not None
    assert await second.claim(job()) is None
    assert await second.announce(job()) is None
    clock.now += LEASE_S - 1
    lease = await first.renew(lease)
    assert lease is not None
    clock.now += LEASE_S - 1
    assert await second.claim(job()) is None
    clock.now += 2
    assert await second.claim(job()) is not None
    assert await first.renew(lease) is None


async def test_of_two_claims_one_wins(objects: MemoryObjects, clock: Clock) -> None:
    await process(objects, clock, "n0", host="gone").announce(job())
    clock.now += LEASE_S + 1
    read_by_both = dict(objects.bodies)
    first = await process(objects, clock, "n1", host="two").claim(job())
    late = MemoryObjects()
    late.bodies = objects.bodies
    stale = await process(late, clock, "n2", host="three").claim(job())
    assert first is not None
    assert stale is None
    assert objects.bodies != read_by_both


async def test_a_released_job_is_free_at_once(objects: MemoryObjects, clock: Clock) -> None:
    first, second = process(objects, clock, "n1"), process(objects, clock, "n2", host="two")
    lease = await first.announce(job())
    assert lease is not None
    await first.release(lease)
    taken = await second.claim(job())
    assert taken is not None
    assert taken.created_at == lease.created_at


def pid_of_an_ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


async def test_a_dead_process_of_this_host_holds_nothing(objects: MemoryObjects, clock: Clock) -> None:
    await process(objects, clock, "n1", pid=pid_of_an_ended_process()).announce(job())
    assert await process(objects, clock, "n2").claim(job()) is not None


async def test_a_restart_with_the_same_pid_is_told_by_its_nonce(objects: MemoryObjects, clock: Clock) -> None:
    await process(objects, clock, "n1").announce(job())
    assert await process(objects, clock, "n2").claim(job()) is not None


async def test_a_living_process_of_this_host_keeps_its_job(objects: MemoryObjects, clock: Clock) -> None:
    await process(objects, clock, "n1", pid=os.getppid()).announce(job())
    assert await process(objects, clock, "n2").claim(job()) is None


async def test_a_finished_job_cannot_be_claimed_or_renewed(objects: MemoryObjects, clock: Clock) -> None:
    jobs = process(objects, clock, "n1")
    lease = await jobs.announce(job())
    assert lease is not None
    await jobs.finish(job())
    assert await jobs.claim(job()) is None
    assert await jobs.renew(lease) is None
    assert objects.bodies == {}


async def test_a_marker_that_does_not_decode_still_names_its_job(objects: MemoryObjects, clock: Clock) -> None:
    objects.bodies[KEYS.pending_job(*job())] = b"{"
    jobs = process(objects, clock, "n1")
    assert await jobs.list() == [job()]
    assert await jobs.claim(job()) is not None
