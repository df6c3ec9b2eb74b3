"""How many machines exist. It is no part of fly.toml, and a failed deployment may leave one too many."""

from typing import Any

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.request import parse
from infra.deploy.retry import wait_for


class ScaleRequest(FlyTarget):
    machines: int


def scale(text: str) -> dict[str, Any]:
    """Exactly this many machines exist."""
    request = parse(ScaleRequest, text)
    scale_to(request, request.machines)
    return {"machines": request.machines}


def scale_to(target: FlyTarget, machines: int) -> None:
    """Raises DeployError where Fly took the number and does not follow it."""
    if len(flyctl.machines(target)) != machines:
        flyctl.call(target, "scale", "count", str(machines), "--yes")
    found = wait_for(lambda: len(flyctl.machines(target)) == machines or None, timeout_s=60, interval_s=1)
    if not found:
        raise DeployError(f"{target.app} has {len(flyctl.machines(target))} machines, not {machines}")
