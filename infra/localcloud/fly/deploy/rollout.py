"""Puts one assignment on machines: launches new ones, updates existing ones, waits until each is healthy."""

import asyncio
import math
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.deploy.oneoff import run_machine_checks
from infra.localcloud.fly.deploy.report import Report
from infra.localcloud.fly.deploy.request import DEFAULT_MAX_UNAVAILABLE, DeployFailedError
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.machine.runner import MachineRunner

SMOKE_S = 0.5
LOG_LINES_SHOWN = 20
_LOOK_S = 0.5
_NEVER_STARTED = [
    "Your machine was created, but never started or exited immediately. This could mean that your app is taking a long "
    "time to start,",
    "but it could be indicative of a region issue.",
    "Alternatively, your app may have exited immediately due to a startup failure. Check your Dockerfile",
    "to ensure it specifies a valid start command (e.g., check that your 'CMD' or 'ENTRYPOINT' is correct).",
    "You can also try running 'fly logs' to see what happened when the machine tried to start.",
    "You can try deploying to a different region,",
    "or you can try increasing the timeout with the --wait-timeout flag",
]

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """An interrupted deploy leaves what it has begun with a machine to end by itself, never halfway."""
    return await asyncio.shield(asyncio.ensure_future(work))


@dataclass(frozen=True)
class Rollout:
    """`checked` is false for the strategy immediate and for `--detach`: nothing is waited for."""

    host: AppHost
    assignment: Assignment
    report: Report
    wait_timeout_s: float
    api_url: str
    checked: bool = True
    smoke: bool = True
    max_unavailable: float = DEFAULT_MAX_UNAVAILABLE

    async def launch(self, count: int) -> None:
        """The first machines of the app, or the first after it was scaled to none."""
        report = self.report
        report.out("> Launching new machine")
        report.out("No machines in group app, launching a new machine")
        for number in range(count):
            if number == 1:
                report.out("Creating a second machine for high availability and zero downtime deployments.")
                report.out('To disable this, set "min_machines_running = 0" in your fly.toml.')
            runner = await finish(self.host.create_machine(self.assignment))
            report.out(f"{'✔' if number else '>'} Machine {label(runner)} was created")
            try:
                await self.wait_until_healthy(runner)
            except DeployFailedError as error:
                report.out(f"✖ Failed: {error.message}")
                raise
            report.out(f"✔ Machine {label(runner)} update finished: success")
        report.err("Finished launching new machines")

    async def update_all(self) -> None:
        """The first one alone, then as many at a time as may be unavailable.

        The first failure ends it and leaves that machine on the new image; the others under way are not waited for.
        """
        runners = list(self.host.machines.values())
        prefixes = [f"[{n}/{len(runners)}] " if len(runners) > 1 else "" for n in range(1, len(runners) + 1)]
        await self._update(runners[0], prefixes[0])
        if self.checked and runners[0].running:
            await run_machine_checks(self.host, self.assignment, self.report, runners[0], self.wait_timeout_s)
        gate = asyncio.Semaphore(self._at_once(len(runners)))

        async def update(runner: MachineRunner, prefix: str) -> None:
            async with gate:
                await self._update(runner, prefix)

        try:
            async with asyncio.TaskGroup() as group:
                for runner, prefix in zip(runners[1:], prefixes[1:], strict=True):
                    group.create_task(update(runner, prefix))
        except* DeployFailedError as errors:
            failed = errors.exceptions[0]
        else:
            return
        raise failed

    def _at_once(self, count: int) -> int:
        """A number from 1 on is one of machines, a smaller one is a share of them."""
        limit = self.max_unavailable
        return int(limit) if limit >= 1 else max(1, math.ceil(limit * count))

    async def wait_until_healthy(
        self, runner: MachineRunner, prefix: str = "", *, crashes: int = 0, tell: bool = False
    ) -> None:
        """Raises DeployFailedError when it does not start, crashes, or its checks do not pass in time.

        `crashes` is how often the machine had crashed before this assignment.
        """
        if not self.checked:
            return
        say = self.report.out if tell else _silent
        say(f"> {prefix}Waiting for {label(runner)} to have state: started")
        if not await self._started(runner, crashes):
            raise DeployFailedError("timeout reached waiting for machine's state to change", _NEVER_STARTED)
        say(f"> {prefix}Machine {label(runner)} has state: started")
        if self.smoke:
            say(f"> {prefix}Checking that {label(runner)} is up and running")
            await self._smoke(runner, crashes)
        self._refuse_crash(runner, crashes)
        if self.assignment.config.service and self.assignment.config.service.checks:
            await self._healthy(runner, prefix, crashes, tell=tell)

    async def _update(self, runner: MachineRunner, prefix: str) -> None:
        report = self.report
        launched, crashes = runner.record.wanted == "started", runner.crashes
        report.out(f"> {prefix}Updating {label(runner)}")
        await finish(runner.update(self.assignment))
        report.out(f"> {prefix}Updating {label(runner)}")
        if launched:
            try:
                await self.wait_until_healthy(runner, prefix, crashes=crashes, tell=True)
            except DeployFailedError as error:
                report.out(f"✖ {prefix}Machine {label(runner)} update failed: {error.message}")
                raise
            except asyncio.CancelledError:
                report.out(f"✖ {prefix}Machine {label(runner)} update canceled while it was in progress")
                raise
        report.out(f"✔ {prefix}Machine {label(runner)} update succeeded")

    async def _started(self, runner: MachineRunner, crashes: int) -> bool:
        deadline = time.monotonic() + self.wait_timeout_s
        while not runner.running and runner.crashes == crashes:
            if time.monotonic() >= deadline:
                return False
            await self.host.wait_for_change(_LOOK_S)
        return True

    async def _smoke(self, runner: MachineRunner, crashes: int) -> None:
        deadline = time.monotonic() + SMOKE_S
        while (left := deadline - time.monotonic()) > 0 and runner.crashes == crashes:
            await self.host.wait_for_change(left)

    async def _healthy(self, runner: MachineRunner, prefix: str, crashes: int, *, tell: bool) -> None:
        deadline = time.monotonic() + self.wait_timeout_s
        shown = -1
        while True:
            self._refuse_crash(runner, crashes)
            health = runner.health
            passing, total = (health.passing_count, len(health.checks)) if health else (0, 0)
            if tell and passing != shown:
                self.report.out(f"> {prefix}Waiting for {label(runner)} to become healthy: {passing}/{total}\n")
                shown = passing
            if total and passing == total:
                return
            if time.monotonic() >= deadline:
                raise DeployFailedError(self._unhealthy(runner), self._last_lines(runner))
            await self.host.wait_for_change(min(_LOOK_S, max(0.0, deadline - time.monotonic())))

    def _refuse_crash(self, runner: MachineRunner, crashes: int) -> None:
        if runner.crashes == crashes:
            return
        reason = f"checks for {runner.record.id} failed: the app appears to be crashing"
        raise DeployFailedError(f"smoke {reason}", [f"Smoke {reason}", *self._last_lines(runner)])

    def _unhealthy(self, runner: MachineRunner) -> str:
        machine_id = runner.record.id
        return (
            f"timeout reached waiting for health checks to pass for machine {machine_id}: "
            f"failed to get VM {machine_id}: "
            f'Get "{self.api_url}/v1/apps/{self.host.name}/machines/{machine_id}": net/http: request canceled'
        )

    def _last_lines(self, runner: MachineRunner) -> list[str]:
        lines = self.host.log.tail(LOG_LINES_SHOWN, runner.record.id)
        intro = f"Check its logs: here's the last lines below, or run 'fly logs -i {runner.record.id}':"
        return [intro, *(f"  {line['timestamp']} [{line['level']}] {line['message']}" for line in lines)]


def label(runner: MachineRunner) -> str:
    return f"{runner.record.id} [app]"


def _silent(_: str) -> None:
    pass
