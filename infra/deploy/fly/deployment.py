"""A release of the backend: build or take an image, replace the machines, and see the new version answer.

flyctl calls a rolling deployment onto stopped machines a success without having looked at one, and leaves the machines
of a failed one as they are. So a request decides, and after a failure the release before is put back.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.fly.release import Release, current_release, image_of
from infra.deploy.fly.scale import scale_to
from infra.deploy.flyctl import FlyTarget
from infra.deploy.process import log
from infra.deploy.request import parse
from infra.deploy.retry import wait_for
from infra.sources import ROOT

HEALTH_TIMEOUT_S = 90
DEPLOY_TIMEOUT_S = 1800


class DeployRequest(FlyTarget):
    """`config`: fly.toml as text; `health_url` must answer 200 with the version that this deployment carries.

    `image`: a reference with its digest, None to build one; `redeploy` only makes two equal requests differ.
    """

    config: str
    strategy: str
    health_url: str
    secrets_version: str
    image: str | None = None
    redeploy: str | None = None


def deploy(text: str) -> dict[str, Any]:
    """Release the image; answers its reference with the digest and the version, once that version answers."""
    request = parse(DeployRequest, text)
    version = _version(request)
    before = current_release(request, request.config)
    log(f"deploying version {version} of {request.app}")
    try:
        _release(request, request.config, request.image, request.strategy, version)
        # The machines may all be stopped and unseen, so the request is what proves the release.
        _verify_health(request.health_url, version)
    except DeployError as error:
        raise DeployError(f"{error}\n{_put_back(request, before)}") from None
    return {"image": image_of(request), "version": version}


def _release(target: FlyTarget, config: str, image: str | None, strategy: str, version: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="fly-") as scratch:
        path = Path(scratch, "fly.toml")
        path.write_text(config)
        build = ("--dockerfile", "app/Dockerfile", "--ignorefile", ".dockerignore", "--remote-only")
        options = [
            *("--config", str(path), "--strategy", strategy, "--ha=false", "--yes"),
            *("--wait-timeout", "5m", "--dns-checks=false"),
            *(("--env", f"GIT_SHA={version}") if version else ()),
            *(("--image", image) if image else build),
        ]
        flyctl.call(target, "deploy", str(ROOT), *options, timeout_s=DEPLOY_TIMEOUT_S)


def _put_back(target: FlyTarget, before: Release | None) -> str:
    """What became of the app, as a sentence. Its staged secrets stay the wanted ones: only the stack knows the old."""
    if before is None:
        return f"{target.app} had no complete release before, so there is none to put back"
    log(f"putting back {before.image} of {target.app}")
    try:
        _release(target, before.config, before.image, "rolling", None)
        scale_to(target, before.machines)
    except DeployError as error:
        return f"and {before.image}, the release before, could not be put back: {error}"
    return f"{target.app} is back on {before.image} with the configuration before"


def _version(request: DeployRequest) -> str:
    """Commit and content of what is deployed; two deployments of different files never share it."""
    content = request.image.rpartition(":")[2] if request.image else os.environ.get("SOURCE_HASH", "")
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = done.stdout.strip() if done.returncode == 0 else "unversioned"
    return f"{commit}+{content[:12]}" if content else commit


def _verify_health(url: str, version: str) -> None:
    last = "nothing answered"

    def probe() -> bool | None:
        nonlocal last
        try:
            answer = httpx.get(url, timeout=15, follow_redirects=False)
            found = answer.json().get("version") if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as error:
            last = f"{type(error).__name__}: {error}"
            return None
        last = f"status {answer.status_code}, version {found}"
        return True if found == version else None

    if not wait_for(probe, timeout_s=HEALTH_TIMEOUT_S, interval_s=0.3):
        raise DeployError(f"{url} does not answer as version {version} after the deployment ({last})")
