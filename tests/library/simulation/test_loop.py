"""The virtual loop and its hosts: what the simulation's verdicts rest on."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context

import pytest

from tests.library.simulation.hosts import HOST, Host
from tests.library.simulation.loop import NothingLeftError, VirtualLoop

Work = Callable[[], Awaitable[None]]


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop(random.Random(1))  # type: ignore[abstract]  # no sockets, processes and signals here
    yield loop
    loop.close()


def on(loop: VirtualLoop, host: Host, work: Work) -> None:
    context = copy_context()
    context.run(HOST.set, host)
    loop.create_task(work(), context=context)


def test_days_pass_at_once_and_in_order(loop: VirtualLoop) -> None:
    async def main() -> list[float]:
        seen: list[float] = []

        async def wait(seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append(loop.time())

        await asyncio.gather(wait(86400.0), wait(1.0), wait(0.5))
        return seen

    assert loop.run_until_complete(main()) == [0.5, 1.0, 86400.0]


def test_a_thread_answers_later_also_with_an_error(loop: VirtualLoop) -> None:
    async def main() -> tuple[int, float]:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 7), loop.time()

    value, seconds = loop.run_until_complete(main())
    assert value == 7
    assert 0 < seconds < 0.2


def test_waiting_for_nothing_is_found(loop: VirtualLoop) -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingLeftError, match="stuck after"):
        loop.run_until_complete(main())


@pytest.mark.parametrize("last", range(1, 5))
def test_a_host_dies_before_any_of_its_callbacks_and_cleans_nothing_up(loop: VirtualLoop, last: int) -> None:
    host, done = Host(), []
    host.plan[last] = lambda: setattr(host, "alive", False)

    async def work() -> None:
        try:
            for step in range(10):
                done.append(step)
                await asyncio.sleep(0)
        finally:
            done.append(-1)

    async def main() -> None:
        on(loop, host, work)
        await asyncio.sleep(60)

    loop.run_until_complete(main())
    assert done == list(range(last - 1))


@pytest.mark.parametrize(("clock_stops", "wakes_s"), [(False, 101.0), (True, 105.0)])
def test_a_frozen_host_goes_on_where_it_was(loop: VirtualLoop, clock_stops: bool, wakes_s: float) -> None:
    """It sleeps 5 s from 0 s and is frozen from 1 s to 101 s."""
    host, woken = Host(), []

    async def work() -> None:
        await asyncio.sleep(5)
        woken.append(loop.world_s)

    async def main() -> None:
        on(loop, host, work)
        await asyncio.sleep(1)
        host.frozen = True
        await asyncio.sleep(100)
        loop.thaw(host, 100.0 if clock_stops else 0.0)
        await asyncio.sleep(100)

    loop.run_until_complete(main())
    assert woken == [wakes_s]


def test_a_callback_that_raises_is_told(loop: VirtualLoop) -> None:
    async def main() -> None:
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert ["ZeroDivisionError" in failure for failure in loop.failures] == [True]
