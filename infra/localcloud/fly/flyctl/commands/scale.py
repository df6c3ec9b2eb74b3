"""`flyctl scale count|show|vm`."""

from collections import Counter
from typing import Any

from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.run import Run, size_name


def count(run: Run) -> None:
    _ = run.api
    if len(run.arguments) != 1 or not run.arguments[0].isdigit():
        raise CommandError(f"invalid count {' '.join(run.arguments)!r}: the loopback flyctl takes one number")
    wanted = int(run.arguments[0])
    listing = f"error listing active machines for {run.app} app: failed to list VMs: "
    with run.machines(listing, f"GET /v1/apps/{run.app}/machines"):
        machines = run.call("GET")["machines"]
    difference = wanted - len(machines)
    if difference == 0:
        run.say("App already scaled to desired state. No need for changes")
        return
    if machines:
        run.say(f"App '{run.app}' is going to be scaled according to this plan:")
        region, size = _region(machines), size_name(machines[0])
        run.say(f"  {difference:+} machines for group 'app' on region '{region}' of size '{size}'")
    if not run.flags.on("--yes"):
        raise CommandError("--yes flag must be specified when not running interactively")
    with run.machines("", f"POST /v1/apps/{run.app}/machines"):
        done = run.call("POST", "/scale", {"count": wanted})
    run.say("Executing scale plan")
    for verb, changed in (("Created", done["created"]), ("Destroyed", done["destroyed"])):
        for machine in changed:
            run.say(f"  {verb} {machine['id']} group:app region:{machine['region']} size:{size_name(machine)}")


def show(run: Run) -> None:
    with run.machines("failed to list VMs: ", f"GET /v1/apps/{run.app}/machines"):
        machines = run.call("GET")["machines"]
    groups = [_group(machines)] if machines else []
    if run.flags.on("--json"):
        run.show(groups)
        return
    run.say(f"VM Resources for app: {run.app}\n")
    rows = [
        ["app", str(group["Count"]), group["CPUKind"], str(group["CPUs"]), f"{group['Memory']} MB"] for group in groups
    ]
    run.table(["NAME", "COUNT", "KIND", "CPUS", "MEMORY"], rows)


def vm(run: Run) -> None:
    """No call was recorded: its texts only resemble flyctl's."""
    _ = run.api
    if len(run.arguments) != 1:
        raise CommandError(f"accepts 1 arg(s), received {len(run.arguments)}")
    memory = run.flags.text("--vm-memory")
    body = {"size": run.arguments[0], **({"memory_mb": int(memory)} if memory else {})}
    with run.machines("", f"GET /v1/apps/{run.app}/machines"):
        guest = run.call("POST", "/vm", body)
    run.say(f"Scaled VM Type to '{run.arguments[0]}'")
    run.say(f"{'CPU Cores':>15}: {guest['cpus']}\n{'Memory':>15}: {guest['memory_mb']} MB")


def _group(machines: list[dict[str, Any]]) -> dict[str, Any]:
    guest = machines[0]["config"]["guest"]
    return {
        "Process": "app",
        "Count": len(machines),
        "CPUKind": guest["cpu_kind"],
        "CPUs": guest["cpus"],
        "Memory": guest["memory_mb"],
        "Regions": dict(Counter(machine["region"] for machine in machines)),
    }


def _region(machines: list[dict[str, Any]]) -> str:
    return str(machines[0]["region"])
