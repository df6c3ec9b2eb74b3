"""python -m infra.deploy verify OUTPUTS.json [VIDEO]: is a stack what its outputs say? Outputs in, a table out.

It takes the stack's outputs and nothing else; exit 1 names the rows that failed. With a video it also does the main
job, which leaves one reel of the user `smoke` behind.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.journey import Journey

Outputs = dict[str, Any]
FOREIGN_ORIGIN = "https://not-the-app.invalid"


def main(words: list[str]) -> int:
    if len(words) not in (1, 2):
        print("usage: python -m infra.deploy verify OUTPUTS.json [VIDEO]", file=sys.stderr)  # noqa: T201
        return 2
    outputs = json.loads(Path(words[0]).read_text())
    checks = {**CHECKS}
    if len(words) == 2:
        checks["export"] = lambda found: _export(found, Path(words[1]))
    rows = [(name, *_judge(check, outputs)) for name, check in checks.items()]
    for name, ok, said in rows:
        print(f"{'ok  ' if ok else 'FAIL'}  {name:14}  {said}", file=sys.stderr)  # noqa: T201
    print(json.dumps({"ok": all(ok for _, ok, _ in rows), "failed": [name for name, ok, _ in rows if not ok]}))  # noqa: T201
    return 0 if all(ok for _, ok, _ in rows) else 1


def _judge(check: Callable[[Outputs], str], outputs: Outputs) -> tuple[bool, str]:
    try:
        return True, check(outputs)
    except (DeployError, httpx.HTTPError) as error:
        return False, str(error) or type(error).__name__


def _health(outputs: Outputs) -> str:
    answer = _get(outputs["health_url"])
    return f"version {answer.json()['version']}"


def _ready(outputs: Outputs) -> str:
    return json.dumps(_get(f"{outputs['api_url']}/api/ready").json()["checks"])


def _own_origin(outputs: Outputs) -> str:
    allowed = _allowed_origin(outputs, outputs["app_url"])
    if allowed != outputs["app_url"]:
        raise DeployError(f"the backend does not allow the app's origin {outputs['app_url']} (it answered {allowed})")
    return f"{allowed} is allowed"


def _foreign_origin(outputs: Outputs) -> str:
    allowed = _allowed_origin(outputs, FOREIGN_ORIGIN)
    if allowed is not None:
        raise DeployError(f"the backend allows the foreign origin {FOREIGN_ORIGIN}")
    return "a foreign origin is not allowed"


def _site(outputs: Outputs) -> str:
    answer = _get(outputs["app_url"])
    if "<div id=" not in answer.text:
        raise DeployError(f"{outputs['app_url']} does not serve the web app")
    return f"{outputs['app_url']} serves the web app"


CHECKS: dict[str, Callable[[Outputs], str]] = {
    "health": _health,
    "readiness": _ready,
    "CORS, own": _own_origin,
    "CORS, foreign": _foreign_origin,
    "web app": _site,
}


def _export(outputs: Outputs, video: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        journey = Journey(outputs["api_url"], "smoke", say=lambda line: None)
        reel = asyncio.run(journey.run(video, Path(scratch, "reel.mp4")))
    return f"a reel of {reel.frame_count} frames in {sum(reel.seconds.values()):.1f} s"


def _allowed_origin(outputs: Outputs, origin: str) -> str | None:
    answer = httpx.options(
        f"{outputs['api_url']}/api/media",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        timeout=30,
    )
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed


def _get(url: str) -> httpx.Response:
    answer = httpx.get(url, timeout=30)
    if answer.status_code != 200:
        raise DeployError(f"{url} answered {answer.status_code}")
    return answer
