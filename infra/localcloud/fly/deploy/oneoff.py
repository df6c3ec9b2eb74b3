"""Commands that a deploy runs beside the app's machines: the release command, and machine checks.

Each runs as a machine of its own that is gone afterwards: with the release's image, environment and secrets. What it
prints is in the app's log. no such call of flyctl was recorded: the texts about them only resemble its own.
"""

import asyncio
import shlex
from collections.abc import Mapping, Sequence

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.deploy.report import Report
from infra.localcloud.fly.deploy.request import DEFAULT_WAIT_S, DeployFailedError
from infra.localcloud.fly.ids import new_machine_id
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.machine.environment import command_of, environment_of
from infra.localcloud.fly.machine.process import LOOPBACK, MachineProcess, free_port
from infra.localcloud.fly.machine.record import new_record
from infra.localcloud.fly.machine.runner import MachineRunner


async def run_release_command(host: AppHost, assignment: Assignment, report: Report, timeout_s: float | None) -> None:
    """Before any machine changes; raises DeployFailedError when it fails or takes too long."""
    command = assignment.config.release_command
    if command is None:
        return
    report.out(f"Running {host.name} release_command: {command}")
    limit = timeout_s or assignment.config.release_command_timeout_s or DEFAULT_WAIT_S
    machine_id = new_machine_id()
    try:
        status = await _run(host, assignment, machine_id, shlex.split(command), {"RELEASE_COMMAND": "1"}, limit)
    except TimeoutError:
        reason = f"release_command machine {machine_id} did not finish within {limit:g}s"
        raise DeployFailedError(f"release command failed - aborting deployment. error {reason}") from None
    if status != 0:
        reason = f"release_command machine {machine_id} exited with non-zero status of {status}"
        raise DeployFailedError(f"release command failed - aborting deployment. error {reason}")
    report.out(f"✔ release_command {machine_id} completed successfully")


async def run_machine_checks(
    host: AppHost, assignment: Assignment, report: Report, tested: MachineRunner, timeout_s: float
) -> None:
    """On the first machine that runs the release; raises DeployFailedError. FLY_TEST_MACHINE_IP and PORT lead to it."""
    service = assignment.config.service
    for check in service.machine_checks if service else ():
        machine_id = new_machine_id()
        where = {"FLY_TEST_MACHINE_IP": LOOPBACK, "PORT": str(tested.port)}
        report.out(f"Running machine check on {tested.record.id} [app]")
        argv = check.argv or command_of(host.images.image(assignment.image.digest), host.python)
        try:
            status = await _run(host, assignment, machine_id, argv, where, timeout_s)
        except TimeoutError:
            raise DeployFailedError(f"test machine {machine_id} did not finish within {timeout_s:g}s") from None
        if status != 0:
            raise DeployFailedError(f"test machine {machine_id} exited with non-zero status of {status}")


async def _run(
    host: AppHost,
    assignment: Assignment,
    machine_id: str,
    argv: Sequence[str],
    added: Mapping[str, str],
    timeout_s: float,
) -> int:
    """Its exit status; raises TimeoutError after having killed it."""
    image, port = host.images.image(assignment.image.digest), free_port()
    record = new_record(machine_id, assignment)
    secrets = host.deployed_secrets()
    environment = environment_of(host.name, record, image, secrets, python=host.python, port=port)
    first = str(host.python) if argv[0] in ("python", "python3") else argv[0]
    process = await MachineProcess.start(
        [first, *argv[1:]],
        host.images.root(image.digest) / image.folder.lstrip("/"),
        {**environment, **added},
        port,
        lambda line: host.log.write(machine_id, line),
    )
    try:
        return await asyncio.wait_for(process.wait(), timeout_s)
    finally:
        await process.kill()
