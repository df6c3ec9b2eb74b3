"""The plan in front of an app's machines: kills the one that is to serve a request.

Of the other faults only a latency has an effect here.
"""

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from infra.localcloud.faults.injector import LOST, Faults
from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.machine.runner import MachineRunner
from infra.localcloud.fly.model import Machine
from infra.localcloud.fly.proxy.balancer import Balancer

SERVED = 200


@dataclass(frozen=True)
class _Dead:
    """What the proxy still takes for a machine: nothing listens there any more."""

    port: int
    record: Machine


class DeadlyBalancer(Balancer):
    """Each hand-over of a request is the call `MACHINE <app>`; with `latency_ms` the machine dies that much later."""

    def __init__(self, host: AppHost, hold_s: float, faults: Faults) -> None:
        super().__init__(host, hold_s)
        self._app, self._faults = host.name, faults
        self._ends: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def machine(self, refused: Container[int | None] = ()) -> AsyncIterator[MachineRunner]:
        async with super().machine(refused) as runner:
            call, fault = self._faults.begin("fly", f"MACHINE {self._app}")
            killed = fault is not None and fault.fault == "killed"
            chosen = runner
            if fault is not None and killed and fault.latency_ms:
                self._kill_later(runner, fault.latency_ms / 1000)
            elif fault is not None and killed:
                chosen = cast(MachineRunner, _Dead(runner.port, runner.record))
                await runner.kill()
            elif fault is not None:
                await asyncio.sleep(fault.latency_ms / 1000)
            self._faults.end(call, LOST if killed else SERVED)
            yield chosen

    def _kill_later(self, runner: MachineRunner, seconds: float) -> None:
        async def end() -> None:
            await asyncio.sleep(seconds)
            await runner.kill()

        task = asyncio.create_task(end())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
