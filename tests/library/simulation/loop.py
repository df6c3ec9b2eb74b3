"""An asyncio event loop without real time, threads or sockets: the same calls in the same order run the same way.

Callbacks of a dead host are withheld for good. Every task is kept until the end, so that nothing of a dead host
(`finally`, `__del__`) runs in the middle of a simulation.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

from tests.library.simulation.hosts import HOST, Host

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_LONGEST_THREAD_S = 0.05
_MOST_CALLBACKS = 200_000
_OUTSIDE = Context()


class NothingLeftError(Exception):
    """Someone waits for what will never happen."""


class _Entry(NamedTuple):
    """`lag_s` is that of the host's clock when a timer was set; None for what is due at once."""

    due: float
    order: int
    handle: asyncio.Handle
    host: Host | None
    lag_s: float | None


class VirtualLoop(asyncio.AbstractEventLoop):
    def __init__(self, rng: random.Random) -> None:
        """`rng` says how long the work takes that is given to threads."""
        self._rng = rng
        self._world_s = 0.0
        self._queue: list[_Entry] = []
        self._scheduled = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._closed = False
        self.failures: list[str] = []

    @property
    def world_s(self) -> float:
        """Virtual seconds since the start, as an observer outside all machines sees them."""
        return self._world_s

    def time(self) -> float:
        """The monotonic clock of the host that asks."""
        host = HOST.get()
        return self._world_s - (host.lag_s if host else 0.0)

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._push(self._world_s, handle, context.get(HOST), None)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        raise NotImplementedError("there are no threads here")

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        host = context.get(HOST)
        lag_s = host.lag_s if host else 0.0
        self._push(max(when + lag_s, self._world_s), handle, host, lag_s)
        return handle

    def thaw(self, host: Host, lag_s: float) -> None:
        """A frozen host goes on with what was withheld; its clock, and so its timers, stood for `lag_s`."""
        host.frozen = False
        host.lag_s += lag_s
        withheld, host.withheld = host.withheld, []
        for entry in withheld:
            self._push(entry.due, entry.handle, entry.host, entry.lag_s)

    def call_outside(self, delay_s: float, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """As `call_later`, but it belongs to no host and happens whatever becomes of the caller."""
        self._push(self._world_s + delay_s, asyncio.Handle(callback, args, self, _OUTSIDE), None, None)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]  # typeshed has it as a coroutine; asyncio itself returns a future
        self, executor: object, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """`func` runs in one piece at one moment between the call and the answer."""
        answer: asyncio.Future[_T] = self.create_future()

        def work() -> None:
            outcome: asyncio.Future[_T] = self.create_future()
            try:
                outcome.set_result(func(*args))
            except Exception as error:
                outcome.set_exception(error)
            self.call_later(self._thread_s(), _copy, outcome, answer)

        self.call_later(self._thread_s(), work)
        return answer

    def run_until_complete(self, main: Coroutine[Any, Any, _T]) -> _T:  # type: ignore[override]
        """Raises NothingLeftError when `main` waits and nothing is scheduled, or when no end is in sight."""
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                if not self._queue or self._scheduled > _MOST_CALLBACKS:
                    raise NothingLeftError(f"stuck after {self._scheduled} callbacks at {self._world_s:.3f} s")
                self._run_next()
            result: _T = task.result()
            return result
        finally:
            asyncio._set_running_loop(outer)

    def close(self) -> None:
        """Unwind what still waits, without running any of it again."""
        self._closed = True
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
                with suppress(BaseException):
                    task.get_coro().close()
        self._queue.clear()
        self._tasks.clear()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self._closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback that raises is a failure; what nobody fetched from a dead future is not."""
        if "handle" in context:
            self.failures.append(f"{context['message']}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is skipped when its time comes."""

    def _push(self, due: float, handle: asyncio.Handle, host: Host | None, lag_s: float | None) -> None:
        if not self._closed:
            self._scheduled += 1
            heapq.heappush(self._queue, _Entry(due, self._scheduled, handle, host, lag_s))

    def _run_next(self) -> None:
        entry = heapq.heappop(self._queue)
        self._world_s = max(entry.due, self._world_s)
        if entry.handle.cancelled():
            return
        host = entry.host
        if host is not None:
            if entry.lag_s is not None and host.lag_s > entry.lag_s:
                self._push(entry.due + host.lag_s - entry.lag_s, entry.handle, host, host.lag_s)
                return
            if not host.admits(entry):
                return
        entry.handle._run()

    def _thread_s(self) -> float:
        return float(self._rng.random() ** 6 * _LONGEST_THREAD_S)


def _copy(outcome: asyncio.Future[_T], answer: asyncio.Future[_T]) -> None:
    """The one who asked may have been cancelled meanwhile."""
    error = outcome.exception()
    if answer.done():
        return
    if error is None:
        answer.set_result(outcome.result())
    else:
        answer.set_exception(error)
