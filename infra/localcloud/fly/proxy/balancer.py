"""Chooses a machine for a request, and holds the request while none can take it.

Limits as Fly documents them ("Fly Proxy autostop/autostart", "Concurrency"): at the soft limit a machine is used only
when all are at it, and a stopped one is started; at the hard limit requests wait, and get 503 when that was too long.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.config import Service
from infra.localcloud.fly.machine.runner import MachineRunner

_DEFAULT = Service()
_SLOWEST_LOOK_S = 0.25


class NoCandidateError(Exception):
    """`status` is what the client gets: 502 without a machine, 503 when none is healthy or all are full."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Balancer:
    def __init__(self, host: AppHost, hold_s: float) -> None:
        self._host = host
        self._hold_s = hold_s
        self._starts: set[asyncio.Task[None]] = set()

    @property
    def forces_https(self) -> bool:
        """Whether plain http is answered with a redirect, as the newest release says."""
        releases = self._host.app.releases
        service = releases[-1].config.service if releases else None
        return service is not None and service.force_https

    @asynccontextmanager
    async def machine(self, refused: Container[int | None] = ()) -> AsyncIterator[MachineRunner]:
        """A machine that counts this request until the end of the block; raises NoCandidateError.

        `refused` are ports that refused a connection: such a machine counts again once it was restarted.
        """
        runner = await self._choose(refused)
        runner.load += 1
        try:
            yield runner
        finally:
            runner.load -= 1
            runner.served_at = time.monotonic()
            self._host.changed()

    async def _choose(self, refused: Container[int | None]) -> MachineRunner:
        deadline = time.monotonic() + self._hold_s
        while True:
            machines = list(self._host.machines.values())
            if not machines:
                raise NoCandidateError(502, f"app {self._host.name} has no machine")
            routable = [runner for runner in machines if runner.routable and runner.port not in refused]
            free = [runner for runner in routable if runner.load < _service(runner).concurrency.soft_limit]
            if free:
                return min(free, key=lambda runner: runner.load)
            self._start_one(machines)
            below_hard = [runner for runner in routable if runner.load < _hard_limit(runner)]
            if below_hard:
                return min(below_hard, key=lambda runner: runner.load)
            self._give_up_if_hopeless(machines, bool(routable), deadline)
            await self._host.wait_for_change(min(_SLOWEST_LOOK_S, max(0.0, deadline - time.monotonic())))

    def _give_up_if_hopeless(self, machines: list[MachineRunner], full: bool, deadline: float) -> None:
        late = time.monotonic() >= deadline
        if full:
            if late:
                raise NoCandidateError(503, f"all machines of {self._host.name} were at their hard limit for too long")
        elif late or not (self._starts or any(_may_serve(runner) for runner in machines)):
            raise NoCandidateError(503, f"no machine of {self._host.name} is healthy")

    def _start_one(self, machines: list[MachineRunner]) -> None:
        """One at a time: the next one is started when this one did not help."""
        if self._starts or any(runner.pending for runner in machines):
            return
        for runner in machines:
            record = runner.record
            if record.state == "stopped" and not record.cordoned and _service(runner).auto_start:
                self._host.log.write(record.id, f"Starting machine {record.id}", provider="proxy")
                task = asyncio.create_task(runner.start())
                self._starts.add(task)
                task.add_done_callback(self._starts.discard)
                return


def _may_serve(runner: MachineRunner) -> bool:
    """Whether waiting may help: it is coming, or on its way to stopped, from where it can be started."""
    record = runner.record
    stopping = record.state == "stopping" or runner.leaving.is_set()
    wakes = stopping and not record.cordoned and _service(runner).auto_start
    return runner.pending or runner.routable or wakes


def _service(runner: MachineRunner) -> Service:
    return runner.record.config.service or _DEFAULT


def _hard_limit(runner: MachineRunner) -> float:
    limit = _service(runner).concurrency.hard_limit
    return float("inf") if limit is None else limit
