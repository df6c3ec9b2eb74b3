"""Canary: one extra machine first. If it fails it stays as a regular machine, as on Fly; else rolling follows."""

from infra.localcloud.fly.deploy.oneoff import run_machine_checks
from infra.localcloud.fly.deploy.request import DeployFailedError
from infra.localcloud.fly.deploy.rollout import Rollout, finish, label


async def try_canary(rollout: Rollout) -> None:
    report, host = rollout.report, rollout.host
    report.out("> Creating canary machine for group app")
    canary = await finish(host.create_machine(rollout.assignment, metadata={"fly_canary": "true"}))
    report.out(f"> Machine {label(canary)} was created")
    try:
        await rollout.wait_until_healthy(canary)
        await run_machine_checks(host, rollout.assignment, report, canary, rollout.wait_timeout_s)
    except DeployFailedError as error:
        report.out(f"✖ Failed to create canary machine: {error.message}")
        raise
    report.out(f"✔ Machine {label(canary)} update finished: success")
    report.out(f"machine {canary.record.id} was found and is currently in created state, attempting to destroy...")
    await finish(host.destroy_machine(canary))
