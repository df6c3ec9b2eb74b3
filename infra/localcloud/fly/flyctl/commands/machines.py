"""`flyctl machine list|start|stop|destroy`."""

from typing import Any

from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.run import Run, image_name, size_name

_COLUMNS = [
    *("ID", "NAME", "STATE", "CHECKS", "REGION", "ROLE", "IMAGE", "IP ADDRESS", "VOLUME", "CREATED", "LAST UPDATED"),
    *("PROCESS GROUP", "SIZE"),
]


def list_all(run: Run) -> None:
    with run.machines("failed to list VMs: ", f"GET /v1/apps/{run.app}/machines"):
        machines = run.call("GET")["machines"]
    if run.flags.on("--json"):
        run.show(machines)
        return
    if run.flags.on("--quiet"):
        run.say("\n".join(f" {machine['id']}" for machine in machines) + "\n")
        return
    run.say(f"{len(machines)} machines have been retrieved from app {run.app}.")
    run.say(f"View them in the UI here (\N{ZERO WIDTH SPACE}https://fly.io/apps/{run.app}/machines/)\n\n{run.app}")
    run.table(_COLUMNS, [_row(machine) for machine in machines])


def _row(machine: dict[str, Any]) -> list[str]:
    statuses = [check["status"] for check in machine["checks"]]
    return [
        *(machine[name] for name in ("id", "name", "state")),
        f"{statuses.count('passing')}/{len(statuses)}" if statuses else "",
        machine["region"],
        "",
        image_name(machine),
        machine["private_ip"],
        "",
        machine["created_at"],
        machine["updated_at"],
        "app",
        f"{size_name(machine)}:{machine['config']['guest']['memory_mb']}MB",
    ]


def start(run: Run) -> None:
    for machine in _named(run):
        with run.machines(f"could not start machine {machine}: ", f"POST /v1/apps/{run.app}/machines/{machine}/start"):
            run.call("POST", f"/machines/{machine}/start")
        run.say(f"{machine} has been started")


def stop(run: Run) -> None:
    for machine in _named(run):
        run.say(f"Sending kill signal to machine {machine}...")
        with run.machines(f"could not stop machine {machine}: ", f"POST /v1/apps/{run.app}/machines/{machine}/stop"):
            run.call("POST", f"/machines/{machine}/stop")
        run.say(f"{machine} has been successfully stopped")


def destroy(run: Run) -> None:
    for machine in _named(run):
        with run.machines(f"could not get machine {machine}: ", f"GET /v1/apps/{run.app}/machines/{machine}"):
            states = {found["id"]: found["state"] for found in run.call("GET")["machines"]}
        state = states.get(machine)
        if state is None:
            raise CommandError(f"machine {machine} was not found in app '{run.app}'")
        if state != "stopped" and not run.flags.on("--force"):
            raise CommandError(f"machine {machine} currently {state}, either stop first or use --force flag")
        run.say(f"machine {machine} was found and is currently in {state} state, attempting to destroy...")
        with run.machines(f"could not destroy machine {machine}: ", f"DELETE /v1/apps/{run.app}/machines/{machine}"):
            run.call("DELETE", f"/machines/{machine}")
        run.say(f"{machine} has been destroyed")


def _named(run: Run) -> list[str]:
    _ = run.api
    if not run.arguments:
        raise CommandError("a machine ID must be specified when not running interactively")
    return run.arguments
