"""Blue-green: a green machine for each blue one, traffic only once all are healthy, and no trace of a failure."""

import asyncio

from infra.localcloud.fly.deploy.request import DeployFailedError
from infra.localcloud.fly.deploy.rollout import Rollout, finish, label
from infra.localcloud.fly.ids import new_ulid
from infra.localcloud.fly.machine.runner import MachineRunner

_NEEDS_CHECKS = (
    "You need to define at least 1 check in order to use blue-green deployments. "
    "Refer to https://fly.io/docs/reference/configuration/#services-tcp_checks"
)


async def replace_all(rollout: Rollout) -> None:
    """Greens of stopped machines are created stopped and count as healthy, as flyctl does it."""
    service = rollout.assignment.config.service
    if service is None or not service.checks:
        raise DeployFailedError("app not in valid state for bluegreen deployments", [_NEEDS_CHECKS])
    rollout.report.err("Verifying if app can be safely deployed")
    blue = list(rollout.host.machines.values())
    green: list[MachineRunner] = []
    try:
        await _create(rollout, blue, green)
        await _wait(rollout, green)
    except BaseException:
        await _roll_back(rollout, green)
        raise
    await _switch(rollout, blue, green)


async def _create(rollout: Rollout, blue: list[MachineRunner], green: list[MachineRunner]) -> None:
    rollout.report.err("Creating green machines")
    metadata = {"fly_flyctl_bluegreen_launch_id": new_ulid()}
    for old in blue:
        start = old.record.wanted == "started"
        create = rollout.host.create_machine(rollout.assignment, start=start, cordoned=True, metadata=metadata)
        green.append(await finish(create))
        rollout.report.err(f"  Created machine {label(green[-1])}")


async def _wait(rollout: Rollout, green: list[MachineRunner]) -> None:
    report = rollout.report
    report.err("Waiting for all green machines to start")
    for runner in green:
        report.err(f"  Machine {label(runner)} - started")
    report.err("Waiting for all green machines to be healthy")
    launched = [runner for runner in green if runner.record.wanted == "started"]
    for runner in green:
        report.err(f"  Machine {label(runner)} - {'unchecked' if runner in launched else '1/1 passing'}")
    waits = [rollout.wait_until_healthy(runner) for runner in launched]
    failures = [error for error in await asyncio.gather(*waits, return_exceptions=True) if error]
    for runner in green:
        report.err(f"  Machine {label(runner)} - {_passing(runner)} passing")
    if failures:
        first = failures[0]
        details = first.details if isinstance(first, DeployFailedError) else [str(first)]
        raise DeployFailedError("wait timeout", ["could not get all green machines to be healthy", *details])


async def _roll_back(rollout: Rollout, green: list[MachineRunner]) -> None:
    rollout.report.err("Rolling back failed deployment")
    for runner in green:
        await finish(rollout.host.destroy_machine(runner))
        rollout.report.err(f"  Deleted machine {label(runner)}")


async def _switch(rollout: Rollout, blue: list[MachineRunner], green: list[MachineRunner]) -> None:
    report, host = rollout.report, rollout.host
    report.err("Marking green machines as ready")
    for runner in green:
        runner.record.cordoned = False
        report.err(f"  Machine {label(runner)} now ready")
    report.err("Checkpointing deployment, this may take a few seconds...")
    report.err("Waiting before cordoning all blue machines")
    for runner in blue:
        runner.record.cordoned = True
        report.err(f"  Machine {label(runner)} cordoned")
    host.save()
    host.changed()
    report.err("Waiting before stopping all blue machines")
    report.err("Stopping all blue machines")
    await asyncio.gather(*(finish(runner.stop()) for runner in blue))
    report.err("Waiting for all blue machines to stop")
    for runner in blue:
        report.err(f"  Machine {label(runner)} - stopped")
    report.err("Destroying all blue machines")
    for runner in blue:
        await finish(host.destroy_machine(runner))
        report.err(f"  Machine {label(runner)} destroyed")
    report.err("Deployment Complete")


def _passing(runner: MachineRunner) -> str:
    if runner.record.wanted == "stopped":
        return "1/1"
    return f"{runner.health.passing_count}/{len(runner.health.checks)}" if runner.health else "0/1"
