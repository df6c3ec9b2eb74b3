"""Chunks by calls elsewhere: how many at once, in which order, how far they are, and what happens when one fails."""

from collections.abc import Callable
from typing import Any

import pytest

from gpu.contract import FrameRange
from gpu.functions import fan_out
from gpu.functions.fan_out import AT_ONCE, FanOut
from gpu.functions.upscale_chunk import UpscaleChunkRequest
from gpu.plan.spec import OutputSize

LENGTH = 10


def requests(count: int) -> list[UpscaleChunkRequest]:
    return [
        UpscaleChunkRequest(
            progress_key=f"job/{number}",
            source_url="https://x/s",
            frames=FrameRange(in_frame=number * LENGTH, out_frame=(number + 1) * LENGTH),
            size=OutputSize(width=64, height=64),
        )
        for number in range(count)
    ]


class Elsewhere:
    """Makes chunks: `refusals[key]` times there is no answer yet, and `errors[key]` is raised in place of one."""

    def __init__(self) -> None:
        self.refusals: dict[str, int] = {}
        self.errors: dict[str, Exception] = {}
        self.spawned: list[str] = []
        self.under_way: set[str] = set()
        self.most_under_way = 0
        self.cancelled: list[str] = []
        self.done: dict[str, int] = {}
        self.forgotten: list[str] = []

    @property
    def fan_out(self) -> FanOut:
        return FanOut(self.spawn, lambda key: self.done.get(key, 0), self.forgotten.append)

    def spawn(self, request: dict[str, Any]) -> "ChunkCall":
        key = request["progress_key"]
        self.spawned.append(key)
        self.under_way.add(key)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        return ChunkCall(self, key)


class ChunkCall:
    def __init__(self, elsewhere: Elsewhere, key: str) -> None:
        self._elsewhere, self._key = elsewhere, key

    def get(self, timeout: float) -> dict[str, Any]:
        if self._elsewhere.refusals.get(self._key, 0):
            self._elsewhere.refusals[self._key] -= 1
            raise TimeoutError
        if self._key in self._elsewhere.errors:
            raise self._elsewhere.errors[self._key]
        self._elsewhere.under_way.remove(self._key)
        return {"result": {"part": self._key.encode(), "upscaler": {"name": "n", "ai": True, "reason": "r"}}}

    def cancel(self) -> None:
        self._elsewhere.cancelled.append(self._key)


def run(
    elsewhere: Elsewhere, count: int, on_frame: Callable[[int], None] = lambda done: None
) -> list[tuple[int, bytes | None]]:
    answers = elsewhere.fan_out(requests(count), on_frame)
    return [(number, answer.result.part if answer.result else None) for number, answer in answers]


def test_every_chunk_is_answered_with_its_number() -> None:
    elsewhere = Elsewhere()
    elsewhere.refusals = {"job/0": 2, "job/2": 1}
    answers = run(elsewhere, 4)
    assert [number for number, _ in answers] == [1, 3, 2, 0]
    assert dict(answers) == {number: f"job/{number}".encode() for number in range(4)}
    assert elsewhere.cancelled == []


def test_calls_begin_in_order_and_only_so_many_at_once() -> None:
    elsewhere = Elsewhere()
    run(elsewhere, 3 * AT_ONCE)
    assert elsewhere.spawned == [f"job/{number}" for number in range(3 * AT_ONCE)]
    assert elsewhere.most_under_way == AT_ONCE


def test_progress_is_the_sum_over_all_chunks_and_never_falls() -> None:
    elsewhere, counted = Elsewhere(), list[int]()
    elsewhere.refusals = {"job/0": 3, "job/1": 3}
    reports = iter([4, 2, 3, 99])

    def on_frame(done: int) -> None:
        counted.append(done)
        elsewhere.done["job/0"] = next(reports, 99)

    run(elsewhere, 3, on_frame)
    assert counted == sorted(counted)
    assert LENGTH + 4 in counted
    assert counted[-1] == 3 * LENGTH
    assert sorted(elsewhere.forgotten) == ["job/0", "job/1", "job/2"]


def test_a_chunk_that_broke_for_good_cancels_the_others() -> None:
    elsewhere = Elsewhere()
    elsewhere.refusals = {"job/0": 9, "job/2": 9}
    elsewhere.errors = {"job/1": ZeroDivisionError("broken")}
    with pytest.raises(ZeroDivisionError, match="broken"):
        run(elsewhere, 3)
    assert sorted(elsewhere.cancelled) == ["job/0", "job/1", "job/2"]


def test_closing_it_cancels_what_is_under_way() -> None:
    elsewhere = Elsewhere()
    elsewhere.refusals = {"job/1": 9}
    answers = elsewhere.fan_out(requests(2), lambda done: None)
    assert next(answers)[0] == 0
    answers.close()
    assert elsewhere.cancelled == ["job/1"]


def test_a_call_that_cannot_be_cancelled_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, cancelled = Elsewhere(), list[str]()
    elsewhere.refusals = {"job/0": 9, "job/1": 9}

    def cancel(call: Any) -> None:
        cancelled.append(call._key)
        raise ConnectionError

    monkeypatch.setattr(ChunkCall, "cancel", cancel)
    answers = elsewhere.fan_out(requests(3), lambda done: None)
    next(answers)
    answers.close()
    assert cancelled == ["job/0", "job/1"]


def test_progress_that_cannot_be_read_does_not_end_the_work(caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = Elsewhere()
    elsewhere.refusals = {"job/0": 1}

    def broken(key: str) -> int:
        raise ConnectionError("no such host: https://x/?signed")

    answers = FanOut(elsewhere.spawn, broken, broken)(requests(2), lambda done: None)
    assert sorted(number for number, _ in answers) == [0, 1]
    assert "ConnectionError" in caplog.text
    assert "signed" not in caplog.text


def test_the_wait_is_for_the_first_call_and_a_look_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, waits, get = Elsewhere(), list[float](), ChunkCall.get
    elsewhere.refusals = dict.fromkeys(("job/0", "job/1", "job/2"), 1)

    def measured(call: ChunkCall, timeout: float) -> dict[str, Any]:
        waits.append(timeout)
        return get(call, timeout)

    monkeypatch.setattr(ChunkCall, "get", measured)
    run(elsewhere, 3)
    assert waits == [fan_out.POLL_SECONDS, 0.0, 0.0] * 2
