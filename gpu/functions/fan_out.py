"""Has the chunks of an upscale made by calls elsewhere, several at once; knows calls, but not whose they are.

Calls are started in the chunks' order and only so many are under way, so that a long upscale does not stand before all
others. Leaving early, by an exception or a signal too, cancels every call whose id is known and that has not answered;
a signal while one is being started leaves that one to end by itself. A call that broke for good raises its exception
here.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gpu.functions.upscale_chunk import UpscaleChunkRequest, UpscaleChunkResponse

AT_ONCE = 8
"""Calls under way: twice the containers, so that each finds its next chunk waiting."""
POLL_SECONDS = 0.5

log = logging.getLogger(__name__)


class Call(Protocol):
    """A call of `upscale_chunk` elsewhere."""

    def get(self, timeout: float) -> dict[str, Any]:
        """The answer; raises TimeoutError when there is none within `timeout` seconds, and what the call raised."""
        ...

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class FanOut:
    """MapChunks by calls. `reached` tells the frames done under a progress key, `forget` is told when it is not needed.

    Progress is ephemeral: what `reached` and `forget` raise is logged.
    """

    spawn: Callable[[dict[str, Any]], Call]
    reached: Callable[[str], int]
    forget: Callable[[str], object]

    def __call__(
        self, requests: Sequence[UpscaleChunkRequest], on_frame: Callable[[int], None]
    ) -> Generator[tuple[int, UpscaleChunkResponse]]:
        waiting = list(enumerate(requests))[::-1]
        running: dict[int, Call] = {}
        tally = _Tally(requests, on_frame)
        try:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    number, request = waiting.pop()
                    running[number] = self.spawn(request.model_dump(mode="json"))
                for number, answer in _answered(running):
                    del running[number]
                    self._forget(requests[number].progress_key)
                    tally.finish(number)
                    yield number, UpscaleChunkResponse.model_validate(answer)
                tally.count({number: self._reached(requests[number].progress_key) for number in running})
        finally:
            for number, call in running.items():
                _cancel(call)
                self._forget(requests[number].progress_key)

    def _reached(self, key: str) -> int:
        try:
            return self.reached(key)
        except Exception as error:
            log.warning("the progress of a chunk was not read: %s", type(error).__name__)
            return 0

    def _forget(self, key: str) -> None:
        try:
            self.forget(key)
        except Exception as error:
            log.warning("the progress of a chunk was not removed: %s", type(error).__name__)


class _Tally:
    """Counts frames over all chunks, forwards only."""

    def __init__(self, requests: Sequence[UpscaleChunkRequest], on_frame: Callable[[int], None]) -> None:
        self._lengths = [one.frames.out_frame - one.frames.in_frame for one in requests]
        self._done = [0] * len(requests)
        self._on_frame = on_frame

    def count(self, reached: dict[int, int]) -> None:
        for number, frames in reached.items():
            self._done[number] = max(self._done[number], min(frames, self._lengths[number]))
        self._on_frame(sum(self._done))

    def finish(self, number: int) -> None:
        self.count({number: self._lengths[number]})


def _answered(running: dict[int, Call]) -> Generator[tuple[int, dict[str, Any]]]:
    """Waits for the first call for a while, and looks at the others. One answer at a time: they are large."""
    patience = POLL_SECONDS
    for number, call in list(running.items()):
        timeout, patience = patience, 0.0
        try:
            answer = call.get(timeout=timeout)
        except TimeoutError:
            continue
        yield number, answer


def _cancel(call: Call) -> None:
    """Best effort: a call that goes on ends by itself, and its answer is not asked for."""
    try:
        call.cancel()
    except Exception as error:
        log.warning("a chunk was not cancelled: %s", type(error).__name__)
