"""The retry policy's delays, and what a later stand-in finds of the calls of an earlier one."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from modal_proto import api_pb2

from infra.localcloud.modal.calls import KEEP_S, Calls, Input
from infra.localcloud.modal.outcomes import FAILURE, TERMINATED, Outcomes, ended
from infra.localcloud.modal.store import Store

POLICY = api_pb2.FunctionRetryPolicy(retries=4, initial_delay_ms=1000, backoff_coefficient=3.0, max_delay_ms=5000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def _add(calls: Calls, count: int = 1) -> list[Input]:
    items = [api_pb2.FunctionPutInputsItem(idx=index) for index in range(count)]
    return calls.add(calls.create("fu-1", api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC), items)


async def test_the_delay_grows_with_each_retry_up_to_its_maximum(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    later = loop.call_later

    def at_once(delay_s: float, *call: object) -> asyncio.TimerHandle:
        delays.append(delay_s)
        return later(0, *call)  # type: ignore[arg-type]

    again: asyncio.Queue[Input] = asyncio.Queue()
    calls = Calls(store)
    outcomes = Outcomes(calls, again=again.put_nowait)
    [tried] = _add(calls)
    for _ in range(POLICY.retries):
        with monkeypatch.context() as patch:
            patch.setattr(loop, "call_later", at_once)
            outcomes.judge(tried, ended(FAILURE, "no"), POLICY)
        assert await again.get() is tried
    outcomes.judge(tried, ended(FAILURE, "still no"), POLICY)

    assert delays == [1.0, 3.0, 5.0, 5.0]
    [output] = calls.outputs_between(tried.call_id, 0, 0)
    assert (output.result.exception, tried.retry_count) == ("still no", 4)
    assert output.retry_count == 0, "a client that does not retry itself takes it for another attempt's output"


async def test_a_cancelled_call_is_not_retried(store: Store) -> None:
    calls = Calls(store)
    outcomes = Outcomes(calls, again=lambda again: pytest.fail("retried"))
    [waiting] = _add(calls)
    outcomes.judge(waiting, ended(FAILURE, "no"), POLICY)
    calls.cancel(waiting.call_id)
    outcomes.cancel(waiting.call_id)
    [output] = calls.outputs_between(waiting.call_id, 0, 0)
    assert output.result.status == TERMINATED


def test_the_first_output_of_an_input_stands(store: Store) -> None:
    calls = Calls(store)
    [done] = _add(calls)
    calls.finish(done, ended(FAILURE, "first"))
    calls.finish(done, ended(TERMINATED, "second"))
    outputs, _ = calls.outputs_after(done.call_id, 0)
    assert [output.result.exception for output in outputs] == ["first"]


def test_a_later_stand_in_finds_unfinished_inputs_and_recent_results(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")
    calls = Calls(first)
    done, left = _add(calls, count=2)
    calls.count_retry(left)
    calls.finish(done, ended(FAILURE, "kept"))
    [forgotten] = _add(calls)
    calls.finish(forgotten, ended(FAILURE, "old"))
    first.execute("UPDATE calls SET created_at = ? WHERE id = ?", time.time() - KEEP_S - 1, forgotten.call_id)
    first.close()

    second = Store(tmp_path / "state.sqlite")
    calls = Calls(second)
    assert calls.unfinished() == [left]
    assert [output.result.exception for output in calls.outputs_between(done.call_id, 0, 9)] == ["kept"]
    assert calls.counts(forgotten.call_id) == (0, 0)
    second.close()
