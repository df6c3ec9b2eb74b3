"""No machines running, and a cold start that takes too long."""

import time
from functools import partial
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.verify.hosts import rows_of
from infra.deploy.verify.report import Check, HintError, StillUsableError
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient

MACHINES = "machines"
COLD_START_LIMIT_S = 3.0
RUNNING = "started"
ASLEEP = ("stopped", "suspended")


def complaints(patient: Patient) -> list[Complaint]:
    """The cold start first: any other request would wake the machine."""
    app, stack = patient.app, patient.stack
    answering = rows_of(patient.visit.outputs.health_url)
    needs = ("tool flyctl", "credentials Fly")
    return [
        Complaint(
            Check("cold start", partial(cold_start, patient), (*needs, *answering)),
            f"pulumi config set reel:minMachinesRunning 1 -s {stack} && {patient.up}  (keeps a machine warm); "
            f"or see what it waits for: flyctl logs -a {app} --no-tail",
        ),
        Complaint(
            Check(MACHINES, partial(machines, patient), needs),
            f"flyctl status -a {app} && flyctl logs -a {app} --no-tail  (why), then: {patient.up}",
        ),
    ]


async def cold_start(patient: Patient) -> str:
    """From stopped machines to the first 200; where one runs there is nothing to measure."""
    found = await patient.machines()
    if not found:
        raise DeployError("there is no machine to start")
    running = [str(each["id"]) for each in found if each["state"] == RUNNING]
    if running:
        stops = " && ".join(f"flyctl machine stop {name} -a {patient.app}" for name in running)
        warm = min_running(found) > 0
        wanted = f"{min_running(found)} kept warm" if warm else f"to measure: {stops}, then run this again"
        return f"not measured, {len(running)} machine(s) run; {wanted}"
    begun = time.perf_counter()
    await patient.visit.get(patient.visit.outputs.health_url)
    seconds = time.perf_counter() - begun
    if seconds >= COLD_START_LIMIT_S:
        raise HintError(
            f"{seconds:.1f} s from stopped machines to the first 200, {COLD_START_LIMIT_S:.0f} s are allowed"
        )
    return f"{seconds:.1f} s from stopped machines to the first 200"


async def machines(patient: Patient) -> str:
    found = await patient.machines()
    if not found:
        raise DeployError(f"the app {patient.app} has no machines")
    states = [str(each["state"]) for each in found]
    strange = [f"{each['id']} is {each['state']}" for each in found if each["state"] not in (RUNNING, *ASLEEP)]
    if strange:
        raise StillUsableError(f"machines that neither run nor sleep: {', '.join(strange)}")
    running = [each for each in found if each["state"] == RUNNING]
    if len(running) < min_running(found):
        raise StillUsableError(
            f"{len(running)} machine(s) run, {min_running(found)} must: the others are {', '.join(states)}"
        )
    if len(running) < len(found) and not all(service.get("autostart") for each in found for service in services(each)):
        raise StillUsableError("stopped machines are not started by requests: auto_start_machines is off")
    ill = [f"{each['id']} ({check['output']})" for each in running for check in failing(each)]
    if ill:
        raise StillUsableError(f"health checks fail: {', '.join(ill)}")
    return f"{len(found)} machine(s): {', '.join(sorted(states))}"


def services(machine: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = machine["config"].get("services") or []
    return found


def min_running(found: list[dict[str, Any]]) -> int:
    return max(
        (int(each.get("min_machines_running") or 0) for machine in found for each in services(machine)), default=0
    )


def failing(machine: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for check in machine.get("checks") or [] if check["status"] != "passing"]
