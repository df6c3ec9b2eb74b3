"""How an input ends: its output is kept, or the function's retry policy gives it another attempt after a delay.

The delay before retry n is `initial_delay * backoff_coefficient ** (n - 1)`, at most `max_delay` (modal.Retries).
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from modal_proto import api_pb2

from infra.localcloud.modal.calls import Calls, Input

Status: TypeAlias = "api_pb2.GenericResult.GenericStatus.ValueType"
FAILURE = api_pb2.GenericResult.GENERIC_STATUS_FAILURE
INIT_FAILURE = api_pb2.GenericResult.GENERIC_STATUS_INIT_FAILURE
TERMINATED = api_pb2.GenericResult.GENERIC_STATUS_TERMINATED
TIMEOUT = api_pb2.GenericResult.GENERIC_STATUS_TIMEOUT
_RETRIED = (FAILURE, TIMEOUT)

CANCELLED = "the call was cancelled"


def ended(status: Status, why: str) -> api_pb2.FunctionGetOutputsItem:
    return api_pb2.FunctionGetOutputsItem(
        result=api_pb2.GenericResult(status=status, exception=why), data_format=api_pb2.DATA_FORMAT_PICKLE
    )


class Outcomes:
    """`again` is called with an input whose next attempt is due."""

    def __init__(self, calls: Calls, again: Callable[[Input], None]) -> None:
        self._calls = calls
        self._again = again
        self._delayed: dict[str, tuple[Input, asyncio.TimerHandle]] = {}

    def judge(self, tried: Input, output: api_pb2.FunctionGetOutputsItem, policy: api_pb2.FunctionRetryPolicy) -> None:
        is_retried = output.result.status in _RETRIED and tried.retry_count < policy.retries
        if is_retried and not self._calls.call(tried.call_id).is_cancelled:
            self._calls.count_retry(tried)
            delay_ms = policy.initial_delay_ms * (policy.backoff_coefficient or 1.0) ** (tried.retry_count - 1)
            delay_s = min(delay_ms, policy.max_delay_ms or delay_ms) / 1000
            timer = asyncio.get_running_loop().call_later(delay_s, self._due, tried)
            self._delayed[tried.id] = (tried, timer)
        else:
            self._calls.finish(tried, output)

    def end(self, given_up: Input, status: Status, why: str) -> None:
        self._calls.finish(given_up, ended(status, why))

    def cancel(self, call_id: str) -> None:
        """Ends the inputs of the call that wait for their next attempt."""
        for delayed, timer in list(self._delayed.values()):
            if delayed.call_id == call_id:
                timer.cancel()
                del self._delayed[delayed.id]
                self.end(delayed, TERMINATED, CANCELLED)

    def stop(self) -> None:
        for _, timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()

    def _due(self, delayed: Input) -> None:
        del self._delayed[delayed.id]
        self._again(delayed)
