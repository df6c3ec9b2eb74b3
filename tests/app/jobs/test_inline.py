import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from app.jobs.inline import InlineQueue
from app.jobs.job import Outcome, submit
from app.jobs.pending import PendingJobs
from app.kit.errors import NotFoundError, UnavailableError
from app.storage.keys import Keys
from tests.app.jobs.scripted_kind import ScriptedKind, job
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import until_true

KEYS = Keys("development")


class Processes:
    """Queues on one store, as web processes have them; each with its own nonce."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.opened: list[InlineQueue] = []
        self.clock_offset = 0.0

    async def start(self, kind: ScriptedKind, *, discard: bool = False, sweep_s: float = 0.01) -> InlineQueue:
        def clock() -> float:
            return time.time() + self.clock_offset

        pending = PendingJobs(self.objects, KEYS, f"n{len(self.opened)}", clock)
        queue = InlineQueue(pending, renew_s=0.01, sweep_s=sweep_s, clock=clock)
        queue.register({"work": kind})
        await queue.open(discard_pending=discard)
        self.opened.append(queue)
        return queue


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    processes = Processes()
    yield processes
    for queue in processes.opened:
        await queue.close()


async def submitted(queue: InlineQueue, name: str = "1") -> None:
    await queue.announce(job(name))
    queue.start(job(name))


def elsewhere(queue: InlineQueue) -> None:
    """Make it a process of another host, whose death nobody can see."""
    queue._pending._me = queue._pending._me.model_copy(update={"host": "elsewhere"})


async def test_a_job_is_done_and_its_marker_goes(processes: Processes) -> None:
    kind = ScriptedKind()
    queue = await processes.start(kind)
    await submitted(queue)
    await until_true(lambda: kind.running == [job()])
    assert queue.holds(job())
    assert len(processes.objects.bodies) == 1
    kind.go.set()
    await until_true(lambda: not queue.holds(job()))
    assert kind.done == [job()]
    assert processes.objects.bodies == {}


async def test_no_more_run_at_once_than_there_are_slots(processes: Processes) -> None:
    kind = ScriptedKind(slots=2)
    queue = await processes.start(kind)
    for name in "12345":
        await submitted(queue, name)
    await until_true(lambda: len(kind.running) == 2)
    kind.go.set()
    await until_true(lambda: len(kind.done) == 5)
    assert kind.most_at_once == 2


async def test_a_crash_between_row_and_start_loses_nothing(processes: Processes) -> None:
    crashed = await processes.start(ScriptedKind(), sweep_s=1000)
    await crashed.announce(job())
    kind = ScriptedKind()
    kind.go.set()
    await processes.start(kind)
    await until_true(lambda: kind.done == [job()])


async def test_closing_hands_the_job_to_the_next_process(processes: Processes) -> None:
    before = ScriptedKind()
    queue = await processes.start(before)
    elsewhere(queue)
    await submitted(queue)
    await until_true(lambda: before.running == [job()])
    await queue.close()
    assert before.running == []
    after = ScriptedKind()
    after.go.set()
    await processes.start(after)
    await until_true(lambda: after.done == [job()])


async def test_a_living_process_keeps_its_job_however_often_others_look(processes: Processes) -> None:
    mine, other = ScriptedKind(), ScriptedKind()
    queue = await processes.start(mine)
    elsewhere(queue)
    await submitted(queue)
    await until_true(lambda: mine.running == [job()])
    await processes.start(other)
    lists = processes.objects.count("list")
    await until_true(lambda: processes.objects.count("list") > lists + 10)
    assert other.running == []


async def test_a_job_whose_lease_is_lost_is_given_up(processes: Processes) -> None:
    kind = ScriptedKind()
    queue = await processes.start(kind, sweep_s=1000)
    await submitted(queue)
    await until_true(lambda: kind.running == [job()])
    await processes.objects.delete(KEYS.pending_job(*job()))
    await until_true(lambda: not queue.holds(job()))
    assert kind.done == []
    assert processes.objects.bodies == {}


async def test_stopping_ends_the_work_and_the_marker(processes: Processes) -> None:
    kind = ScriptedKind()
    queue = await processes.start(kind)
    await submitted(queue)
    await until_true(lambda: kind.running == [job()])
    await queue.stop(job())
    assert (kind.running, kind.done) == ([], [])
    assert processes.objects.bodies == {}


@pytest.mark.parametrize("trouble", [UnavailableError("no store"), RuntimeError("a bug")])
async def test_a_job_that_breaks_comes_up_again(processes: Processes, trouble: Exception) -> None:
    kind = ScriptedKind()
    kind.troubles.append(trouble)
    kind.go.set()
    await submitted(await processes.start(kind))
    await until_true(lambda: kind.done == [job()])


async def test_a_job_without_a_row_is_asked_again_and_dropped_when_old(processes: Processes) -> None:
    kind = ScriptedKind()
    kind.outcome = Outcome.NOT_FOUND
    kind.go.set()
    await submitted(await processes.start(kind))
    await until_true(lambda: len(kind.done) >= 2)
    assert len(processes.objects.bodies) == 1
    processes.clock_offset = 700
    await until_true(lambda: processes.objects.bodies == {})


async def test_a_job_that_another_process_took_keeps_its_marker(processes: Processes) -> None:
    kind = ScriptedKind()
    kind.outcome = Outcome.TAKEN_OVER
    kind.go.set()
    queue = await processes.start(kind, sweep_s=1000)
    await submitted(queue)
    await until_true(lambda: not queue.holds(job()))
    assert len(processes.objects.bodies) == 1


async def test_discarding_ends_what_was_pending(processes: Processes) -> None:
    crashed = await processes.start(ScriptedKind(), sweep_s=1000)
    await crashed.announce(job())
    kind = ScriptedKind()
    await processes.start(kind, discard=True)
    assert kind.discarded == [job()]
    assert processes.objects.bodies == {}


async def test_a_refused_commit_leaves_no_marker_and_starts_nothing(processes: Processes) -> None:
    kind = ScriptedKind()
    queue = await processes.start(kind)

    async def refused() -> str:
        raise NotFoundError("no such project")

    with pytest.raises(NotFoundError):
        await submit(queue, job(), refused, lambda _: True)
    assert processes.objects.bodies == {}
    assert kind.running == []


async def test_an_unclear_commit_keeps_the_marker_for_the_sweep(processes: Processes) -> None:
    kind = ScriptedKind()
    kind.go.set()
    queue = await processes.start(kind)

    async def unclear() -> str:
        raise UnavailableError("nobody knows")

    with pytest.raises(UnavailableError):
        await submit(queue, job(), unclear, lambda _: True)
    processes.clock_offset = 60
    await until_true(lambda: kind.done == [job()])


async def test_an_earlier_answer_starts_nothing(processes: Processes) -> None:
    kind = ScriptedKind()
    queue = await processes.start(kind)

    async def earlier() -> str:
        return "another job"

    assert await submit(queue, job(), earlier, lambda reply: reply == "this job") == "another job"
    await asyncio.sleep(0)
    assert kind.running == []
    assert processes.objects.bodies == {}


async def test_a_store_that_is_down_for_a_while_does_not_end_the_looking(processes: Processes) -> None:
    kind = ScriptedKind()
    kind.go.set()
    crashed = await processes.start(ScriptedKind(), sweep_s=1000)
    await crashed.announce(job())
    processes.objects.fault = lambda call, key: "before"
    await processes.start(kind)
    lists = processes.objects.count("list")
    await until_true(lambda: processes.objects.count("list") > lists + 2)
    processes.objects.fault = lambda call, key: None
    await until_true(lambda: kind.done == [job()])
