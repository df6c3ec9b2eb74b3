"""Every step of Fly taken once on recorded answers: what was asked of flyctl."""

import json
from typing import Any

import pytest

from infra.deploy import fly
from infra.deploy.fly import deployment
from tests.infra.deploy.flyctl_stub import Flyctl
from tests.infra.deploy.test_fly import DEPLOY, NOTHING, Health

SECRET = "s3cret-value"
HOSTNAME = "api.example.com"


def take_every_step(flyctl: Flyctl, facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """All calls, in order: create, secrets with surplus ones, deploy, scale, certificate, and all of it undone."""
    monkeypatch.setattr(deployment, "_version", lambda request: "v2")
    Health(monkeypatch, "v2")
    deployed = ("status", facts["status-json-deployed"])
    missing = ("status", facts["missing-app-status-json"])
    listed = {"stdout": json.dumps([{"name": "BETA"}])}
    certificates = ("certs list", facts["certs-list-json"])

    def step(name: str, *replies: tuple[str, dict[str, Any]], **inputs: Any) -> None:
        flyctl.replies(*replies)
        fly.STEPS[name](json.dumps({"app": "orbit-api", **inputs}))

    step("app", missing, ("apps create", facts["apps-create"]), deployed, org="personal")
    secrets = [("secrets import", {}), ("secrets list", facts["secrets-list-json"]), ("secrets unset", {})]
    step("secrets", *secrets, ("secrets list", listed), secrets={"BETA": SECRET})
    step("deploy", deployed, ("deploy", facts["deploy-second-rolling"]), **DEPLOY)
    two = ("status", facts["status-json-two-machines"])
    step("scale", deployed, ("scale count", facts["scale-count-2"]), two, machines=2)
    step("certificate", ("certs list", NOTHING), ("certs add", {}), certificates, hostname=HOSTNAME)
    step("remove-certificate", deployed, certificates, ("certs remove", {}), hostname=HOSTNAME)
    step("destroy-app", deployed, ("apps destroy", facts["apps-destroy"]), org="personal")
    return flyctl.calls
