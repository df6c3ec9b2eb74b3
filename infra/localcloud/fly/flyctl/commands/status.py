"""`flyctl status`."""

from typing import Any

from infra.localcloud.fly.flyctl.queries import APP_COMPACT
from infra.localcloud.fly.flyctl.run import Run, image_name


def status(run: Run) -> None:
    with run.graphql(f"failed to get app: {APP_COMPACT}"):
        app = run.call("GET")
    if run.flags.on("--json"):
        run.show(_status(app))
        return
    machines = app["machines"]
    image = image_name(machines[0]) if machines else "-"
    facts = {"Name": app["name"], "Owner": app["organization"], "Hostname": app["hostname"], "Image": image}
    run.say("App\n" + "".join(f" {name:8} │ {value}\n" for name, value in facts.items()))
    if not machines:
        return
    run.say("Machines")
    header = ["PROCESS", "ID", "VERSION", "REGION", "STATE", "ROLE", "CHECKS", "LAST UPDATED"]
    run.table(header, [_row(machine) for machine in machines])


def _row(machine: dict[str, Any]) -> list[str]:
    return [
        "app",
        machine["id"],
        machine["config"]["metadata"]["fly_release_version"],
        machine["region"],
        machine["state"],
        "",
        _checks(machine),
        machine["updated_at"],
    ]


def _checks(machine: dict[str, Any]) -> str:
    """`1 total, 1 passing`."""
    statuses = [check["status"] for check in machine["checks"]]
    if not statuses:
        return ""
    counts = [f"{statuses.count(status)} {status}" for status in ("passing", "warning", "critical")]
    return ", ".join([f"{len(statuses)} total", *(count for count in counts if not count.startswith("0 "))])


def _status(app: dict[str, Any]) -> dict[str, Any]:
    return {
        "AppURL": f"https://{app['hostname']}",
        "Deployed": app["deployed"],
        "Hostname": app["hostname"],
        "ID": app["name"],
        "Machines": app["machines"],
        "Name": app["name"],
        "Organization": {
            "ID": "org1",
            "InternalNumericID": "101",
            "Name": "",
            "Slug": app["organization"],
            "RawSlug": "",
            "PaidPlan": True,
        },
        "PlatformVersion": "machines",
        "Status": app["status"],
        "Version": app["version"],
    }
