"""Fly's certificate of a host name."""

from typing import Any

from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.request import parse
from infra.deploy.retry import wait_for

TIMEOUT_S = 180


class CertificateRequest(FlyTarget):
    hostname: str


def certificate(text: str) -> dict[str, Any]:
    """Fly's certificate for the host name is issued."""
    request = parse(CertificateRequest, text)
    if request.hostname not in _states(request):
        flyctl.call(request, "certs", "add", request.hostname)
    active = wait_for(
        lambda: _states(request).get(request.hostname) == "active" or None, timeout_s=TIMEOUT_S, interval_s=5
    )
    if not active:
        raise DeployError(
            f"the certificate of {request.hostname} is not issued yet: its DNS record must lead to "
            f"{request.app}.fly.dev without a proxy; `flyctl certs check` says what is missing; then run this again"
        )
    return {"hostname": request.hostname, "status": "active"}


def remove_certificate(text: str) -> dict[str, Any]:
    request = parse(CertificateRequest, text)
    if flyctl.status(request) is not None and request.hostname in _states(request):
        flyctl.call(request, "certs", "remove", request.hostname, "--yes")
    return {"hostname": request.hostname}


def _states(target: FlyTarget) -> dict[str, str]:
    return {str(each["hostname"]): str(each["status"]) for each in flyctl.query(target, "certs", "list")}
