"""The app's secrets: exactly these, staged for the next deployment."""

import re
from typing import Any

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.request import parse

# `secrets import` reads dotenv lines: quotes, `#`, `$`, backslashes and line breaks change the value on the way.
SAFE_SECRET = re.compile(r"[A-Za-z0-9_./:@+=,~-]+")


class SecretsRequest(FlyTarget):
    secrets: dict[str, str]


def secrets(text: str) -> dict[str, Any]:
    """Stage exactly these secrets; the next deployment hands them to the machines."""
    request = parse(SecretsRequest, text)
    unsafe = sorted(name for name, value in request.secrets.items() if not SAFE_SECRET.fullmatch(value))
    if unsafe:
        raise DeployError(
            f"flyctl would change the value of {', '.join(unsafe)} on the way: it has other characters "
            f"than letters, digits and _./:@+=,~-"
        )
    lines = "".join(f"{name}={value}\n" for name, value in sorted(request.secrets.items()))
    flyctl.call(request, "secrets", "import", "--stage", stdin=lines, secrets=tuple(request.secrets.values()))
    surplus = sorted(_names(request) - request.secrets.keys())
    if surplus:
        flyctl.call(request, "secrets", "unset", *surplus, "--stage")
    missing = sorted(request.secrets.keys() - _names(request))
    if missing:
        raise DeployError(f"Fly took the secrets of {request.app} but does not list {', '.join(missing)}")
    return {"secrets": sorted(request.secrets)}


def _names(target: FlyTarget) -> set[str]:
    return {str(each["name"]) for each in flyctl.query(target, "secrets", "list")}
