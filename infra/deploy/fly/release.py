"""What an app runs now, in a form that can be deployed again: image, configuration, number of machines.

Fly keeps no fly.toml. What a machine was told is in its own record (Fly's Machines API), as `flyctl status --json`
shows it; what is not there (kill signal, metrics) is the same in all our configurations.
"""

import tomllib
from typing import Any, NamedTuple

import tomli_w

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget

SET_BY_FLY = frozenset({"FLY_PROCESS_GROUP", "PRIMARY_REGION"})


class Release(NamedTuple):
    """`config`: fly.toml as text."""

    image: str
    config: str
    machines: int


def current_release(target: FlyTarget, template: str) -> Release | None:
    """None where no machine exists or where they run different images, as after an interrupted deployment.

    `template`: a fly.toml of this app, for what a machine's record does not hold.
    """
    machines = flyctl.machines(target)
    images = {_reference(machine) for machine in machines}
    if len(images) != 1:
        return None
    return Release(images.pop(), _config(machines[0]["config"], template), len(machines))


def image_of(target: FlyTarget) -> str:
    """The reference that every machine runs; raises DeployError where they differ."""
    images = {_reference(machine) for machine in flyctl.machines(target)}
    if len(images) != 1:
        raise DeployError(
            f"the machines of {target.app} run {len(images)} images, not one: {', '.join(sorted(images))}"
        )
    return images.pop()


def _reference(machine: dict[str, Any]) -> str:
    return "{registry}/{repository}@{digest}".format(**machine["image_ref"])


def _config(machine: dict[str, Any], template: str) -> str:
    document = tomllib.loads(template)
    environment = machine.get("env", {})
    document["primary_region"] = environment.get("PRIMARY_REGION", document["primary_region"])
    document["env"] = {name: value for name, value in environment.items() if name not in SET_BY_FLY}
    document["vm"] = [{key: machine["guest"][key] for key in ("cpu_kind", "cpus", "memory_mb")}]
    for service in machine.get("services", ())[:1]:
        document["http_service"] = _service(service)
    return tomli_w.dumps(document)


def _service(service: dict[str, Any]) -> dict[str, Any]:
    # The API says true and false where a newer machine says "stop" and "off".
    autostop = {True: "stop", False: "off"}.get(service["autostop"], service["autostop"])
    checks = ("method", "path", "interval", "timeout", "grace_period")
    return {
        "internal_port": service["internal_port"],
        "force_https": any(port.get("force_https", False) for port in service["ports"]),
        "auto_stop_machines": autostop,
        "auto_start_machines": service["autostart"],
        "min_machines_running": service.get("min_machines_running", 0),
        "concurrency": {key: service["concurrency"][key] for key in ("type", "soft_limit", "hard_limit")},
        "checks": [{key: check[key] for key in checks if key in check} for check in service.get("checks", ())],
    }
