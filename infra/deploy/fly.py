"""Fly: app, secrets, deployment, machine count and certificate, by `flyctl`."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.process import log, run
from infra.deploy.request import parse
from infra.deploy.retry import wait_for
from infra.sources import ROOT

HEALTH_TIMEOUT_S = 90
CERTIFICATE_TIMEOUT_S = 180
DEPLOY_TIMEOUT_S = 1800

# `secrets import` reads dotenv lines: quotes, `#`, `$`, backslashes and line breaks change the value on the way.
SAFE_SECRET = re.compile(r"[A-Za-z0-9_./:@+=,~-]+")


class AppRequest(FlyTarget):
    org: str


class SecretsRequest(FlyTarget):
    secrets: dict[str, str]


class DeployRequest(FlyTarget):
    """`config`: fly.toml as text; `health_url` must answer 200 with the version that this deployment carries."""

    config: str
    strategy: str
    health_url: str
    secrets_version: str


class ScaleRequest(FlyTarget):
    machines: int


class CertificateRequest(FlyTarget):
    hostname: str


def app(text: str) -> dict[str, Any]:
    """The app exists; answers its name."""
    request = parse(AppRequest, text)
    if flyctl.status(request) is None:
        target = FlyTarget(app=request.app, fly_url=request.fly_url)
        run(
            ["flyctl", "apps", "create", request.app, "--org", request.org],
            env=flyctl.environment(target),
            timeout_s=flyctl.CHANGE_TIMEOUT_S,
            secrets=(os.environ.get("FLY_ACCESS_TOKEN", ""),),
        )
    if wait_for(lambda: flyctl.status(request), timeout_s=30) is None:
        raise DeployError(f"Fly created the app {request.app} but does not find it")
    return {"app": request.app}


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
    surplus = sorted(_secret_names(request) - request.secrets.keys())
    if surplus:
        flyctl.call(request, "secrets", "unset", *surplus, "--stage")
    missing = sorted(request.secrets.keys() - _secret_names(request))
    if missing:
        raise DeployError(f"Fly took the secrets of {request.app} but does not list {', '.join(missing)}")
    return {"secrets": sorted(request.secrets)}


def deploy(text: str) -> dict[str, Any]:
    """Build and release the image; answers its reference with the digest, once the new version answers."""
    request = parse(DeployRequest, text)
    version = _version()
    with tempfile.TemporaryDirectory(prefix="fly-") as scratch:
        config = Path(scratch, "fly.toml")
        config.write_text(request.config)
        log(f"deploying version {version} of {request.app}")
        options = [
            *("--config", str(config), "--dockerfile", "app/Dockerfile", "--ignorefile", ".dockerignore"),
            *("--strategy", request.strategy, "--ha=false", "--wait-timeout", "5m", "--dns-checks=false"),
            *("--env", f"GIT_SHA={version}", "--remote-only", "--yes"),
        ]
        flyctl.call(request, "deploy", str(ROOT), *options, timeout_s=DEPLOY_TIMEOUT_S)
    # A rolling deploy onto stopped machines checks nothing, so the request is what proves the release.
    _verify_health(request.health_url, version)
    return {"image": _image(request), "version": version}


def scale(text: str) -> dict[str, Any]:
    """Exactly this many machines exist."""
    request = parse(ScaleRequest, text)
    if _machine_count(request) != request.machines:
        flyctl.call(request, "scale", "count", str(request.machines), "--yes")
    found = wait_for(lambda: _machine_count(request) == request.machines or None, timeout_s=60, interval_s=1)
    if not found:
        raise DeployError(f"{request.app} has {_machine_count(request)} machines, not {request.machines}")
    return {"machines": request.machines}


def certificate(text: str) -> dict[str, Any]:
    """Fly's certificate for the host name is issued."""
    request = parse(CertificateRequest, text)
    if request.hostname not in _certificates(request):
        flyctl.call(request, "certs", "add", request.hostname)
    active = wait_for(
        lambda: _certificates(request).get(request.hostname) == "active" or None,
        timeout_s=CERTIFICATE_TIMEOUT_S,
        interval_s=5,
    )
    if not active:
        raise DeployError(
            f"the certificate of {request.hostname} is not issued yet: its DNS record must lead to "
            f"{request.app}.fly.dev without a proxy; `flyctl certs check` says what is missing; then run this again"
        )
    return {"hostname": request.hostname, "status": "active"}


def remove_certificate(text: str) -> dict[str, Any]:
    request = parse(CertificateRequest, text)
    if flyctl.status(request) is not None and request.hostname in _certificates(request):
        flyctl.call(request, "certs", "remove", request.hostname, "--yes")
    return {"hostname": request.hostname}


def destroy_app(text: str) -> dict[str, Any]:
    request = parse(AppRequest, text)
    if flyctl.status(request) is not None:
        run(
            ["flyctl", "apps", "destroy", request.app, "--yes"],
            env=flyctl.environment(request),
            timeout_s=flyctl.CHANGE_TIMEOUT_S,
        )
    return {"app": request.app}


STEPS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "app": app,
    "secrets": secrets,
    "deploy": deploy,
    "scale": scale,
    "certificate": certificate,
    "remove-certificate": remove_certificate,
    "destroy-app": destroy_app,
}


def _secret_names(target: FlyTarget) -> set[str]:
    return {str(each["name"]) for each in flyctl.query(target, "secrets", "list")}


def _certificates(target: FlyTarget) -> dict[str, str]:
    return {str(each["hostname"]): str(each["status"]) for each in flyctl.query(target, "certs", "list")}


def _machine_count(target: FlyTarget) -> int:
    found = flyctl.status(target)
    return len(found["Machines"]) if found else 0


def _image(target: FlyTarget) -> str:
    """The reference that every machine runs."""
    found = flyctl.status(target)
    machines = found["Machines"] if found else []
    images = {"{registry}/{repository}@{digest}".format(**machine["image_ref"]) for machine in machines}
    if len(images) != 1:
        raise DeployError(
            f"the machines of {target.app} run {len(images)} images, not one: {', '.join(sorted(images))}"
        )
    return images.pop()


def _version() -> str:
    """Commit and content of what is deployed; two deployments of different files never share it."""
    content = os.environ.get("SOURCE_HASH", "")[:12]
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = done.stdout.strip() if done.returncode == 0 else "unversioned"
    return f"{commit}+{content}" if content else commit


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
