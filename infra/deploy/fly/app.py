"""The Fly app: it exists, or it is gone."""

import os
from typing import Any

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.process import run
from infra.deploy.request import parse
from infra.deploy.retry import wait_for


class AppRequest(FlyTarget):
    org: str


def app(text: str) -> dict[str, Any]:
    """The app exists; answers its name."""
    request = parse(AppRequest, text)
    if flyctl.status(request) is None:
        _run(request, "create", request.app, "--org", request.org)
    if wait_for(lambda: flyctl.status(request), timeout_s=30) is None:
        raise DeployError(f"Fly created the app {request.app} but does not find it")
    return {"app": request.app}


def destroy_app(text: str) -> dict[str, Any]:
    """The app is gone with its machines, secrets and certificates."""
    request = parse(AppRequest, text)
    if flyctl.status(request) is not None:
        _run(request, "destroy", request.app, "--yes")
    return {"app": request.app}


def _run(request: AppRequest, verb: str, *words: str) -> None:
    """`flyctl apps` takes the name as a word, not as --app."""
    run(
        ["flyctl", "apps", verb, *words],
        env=flyctl.environment(request),
        timeout_s=flyctl.CHANGE_TIMEOUT_S,
        secrets=(os.environ.get("FLY_ACCESS_TOKEN", ""),),
    )
