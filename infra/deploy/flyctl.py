"""One call of `flyctl`: arguments in, text or JSON out. What it says in a failure is recorded behaviour, not its API.

Credentials are ambient (FLY_ACCESS_TOKEN). Every call has a time limit: some hang on a silent API.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.process import run
from infra.deploy.request import Request

QUERY_TIMEOUT_S = 60
CHANGE_TIMEOUT_S = 300
NOT_FOUND = ("could not find app", "app not found", "404 not found")


class FlyTarget(Request):
    """`fly_url`: another address of Fly's APIs."""

    app: str
    fly_url: str | None = None


def environment(target: FlyTarget) -> dict[str, str]:
    quiet = {
        "FLY_NO_UPDATE_CHECK": "1",
        "FLY_NO_INCIDENTS_CHECK": "1",
        "FLY_SEND_METRICS": "0",
        "CI": "1",
        "NO_COLOR": "1",
    }
    if target.fly_url is None:
        return quiet
    return {**quiet, **dict.fromkeys(("FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL"), target.fly_url)}


def call(
    target: FlyTarget,
    *words: str,
    stdin: str = "",
    secrets: tuple[str, ...] = (),
    timeout_s: float = CHANGE_TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a call that changes something; raises DeployError."""
    hidden = (*secrets, os.environ.get("FLY_ACCESS_TOKEN", ""))
    command = ["flyctl", *words, "--app", target.app]
    return run(command, env={**environment(target), **(env or {})}, stdin=stdin, timeout_s=timeout_s, secrets=hidden)


def query(target: FlyTarget, *words: str) -> Any:  # noqa: ANN401 -- whatever JSON that command prints
    """Parsed output of a call with --json; raises DeployError."""
    hidden = (os.environ.get("FLY_ACCESS_TOKEN", ""),)
    command = ["flyctl", *words, "--json", "--app", target.app]
    text = run(command, env=environment(target), timeout_s=QUERY_TIMEOUT_S, secrets=hidden, quiet=True)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise DeployError(f"flyctl {' '.join(words)} printed no JSON: {text[:200]!r}") from None


def status(target: FlyTarget) -> dict[str, Any] | None:
    """What `flyctl status` shows, or None where the app does not exist."""
    try:
        found: dict[str, Any] = query(target, "status")
    except DeployError as error:
        if any(words in str(error).lower() for words in NOT_FOUND):
            return None
        raise
    return found


def machines(target: FlyTarget) -> list[dict[str, Any]]:
    """The app's machines as Fly's Machines API shows them; none where the app does not exist."""
    found = status(target)
    return list(found["Machines"] or ()) if found else []
