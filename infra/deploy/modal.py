"""Modal: the functions' secret and the app, by the real `modal` client.

Credentials are ambient (MODAL_TOKEN_ID, MODAL_TOKEN_SECRET). Modal keeps environments apart; ours is made when missing.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.process import log, run
from infra.deploy.request import Request, parse

MODULE = "gpu.app"


class Target(Request):
    environment: str
    modal_url: str | None = None


class SecretRequest(Target):
    name: str
    values: dict[str, str]


class AppRequest(Target):
    app: str


def secret(text: str) -> dict[str, Any]:
    """Create or replace the secret; answers its name and the names of its keys."""
    request = parse(SecretRequest, text)
    _ensure_environment(request)
    # The client reads no secret from standard input; a private file keeps it out of the argument list.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(request.values))
        file.flush()
        arguments = ["secret", "create", request.name, "--from-json", file.name, "--force"]
        _modal(request, [*arguments, "--env", request.environment], secrets=tuple(request.values.values()))
    if request.name not in _secret_names(request):
        raise DeployError(f"Modal took the secret {request.name} but does not list it in {request.environment}")
    return {"secret": request.name, "keys": sorted(request.values)}


def deploy(text: str) -> dict[str, Any]:
    """Deploy the functions; answers the app's name once Modal lists it as deployed."""
    request = parse(AppRequest, text)
    tag = os.environ.get("SOURCE_HASH", "")[:12]
    arguments = ["deploy", "-m", MODULE, "--name", request.app, "--env", request.environment, "--strategy", "rolling"]
    _modal(request, [*arguments, *(["--tag", tag] if tag else [])])
    _verify_deployed(request)
    return {"app": request.app, "environment": request.environment}


def stop(text: str) -> dict[str, Any]:
    """Stop the app if it is deployed."""
    request = parse(AppRequest, text)
    if request.app not in _deployed(request):
        log(f"{request.app} is not deployed in {request.environment}: nothing to stop")
    else:
        _modal(request, ["app", "stop", request.app, "--env", request.environment, "--yes"])
    return {"app": request.app}


def delete_secret(text: str) -> dict[str, Any]:
    """Delete the secret if it exists."""
    request = parse(SecretRequest, text)
    if request.name in _secret_names(request):
        _modal(request, ["secret", "delete", request.name, "--env", request.environment, "--yes"])
    return {"secret": request.name}


STEPS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "secret": secret,
    "deploy": deploy,
    "stop": stop,
    "delete-secret": delete_secret,
}


def _verify_deployed(request: AppRequest) -> None:
    if request.app not in _deployed(request):
        raise DeployError(f"Modal took the deployment of {request.app} but does not list it in {request.environment}")


def _secret_names(request: Target) -> set[str]:
    return {str(each["name"]) for each in json.loads(_modal(request, ["secret", "list", *_json(request)], quiet=True))}


def _deployed(request: AppRequest) -> set[str]:
    listed = json.loads(_modal(request, ["app", "list", *_json(request)], quiet=True))
    return {str(each["description"]) for each in listed if each["state"] == "deployed"}


def _ensure_environment(request: Target) -> None:
    listed = json.loads(_modal(request, ["environment", "list", "--json"], quiet=True))
    if request.environment not in {str(each["name"]) for each in listed}:
        _modal(request, ["environment", "create", request.environment])


def _json(request: Target) -> list[str]:
    return ["--json", "--env", request.environment]


def _modal(
    request: Target,
    arguments: list[str],
    *,
    secrets: tuple[str, ...] = (),
    quiet: bool = False,
) -> str:
    address = {"MODAL_SERVER_URL": request.modal_url} if request.modal_url else {}
    hidden = (*secrets, os.environ.get("MODAL_TOKEN_SECRET", ""))
    command = [sys.executable, "-m", "modal", *arguments]
    return run(command, env={**address, "NO_COLOR": "1", "TERM": "dumb"}, secrets=hidden, quiet=quiet)
