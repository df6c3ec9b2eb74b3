"""Fly steps against recorded answers of the real flyctl: probe, act, verify."""

import json
import sys
import tomllib
from typing import Any

import httpx
import pytest

from infra.deploy import fly
from infra.deploy.errors import DeployError
from infra.deploy.fly import deployment
from infra.deploy.fly.deployment import DeployRequest
from tests.infra.deploy.conftest import FACTS
from tests.infra.deploy.flyctl_stub import Flyctl

Facts = dict[str, Any]
NOTHING = {"stdout": "[]"}
APP = {"app": "orbit-api"}


def request(**inputs: Any) -> str:
    return json.dumps({**APP, **inputs})


def test_a_missing_app_is_created_once(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(
        ("status", facts["missing-app-status-json"]),
        ("apps create", facts["apps-create"]),
        ("status", facts["status-json-empty-app"]),
    )
    assert fly.app(request(org="personal")) == {"app": "orbit-api"}
    assert [call["argv"] for call in flyctl.asked("apps")] == [["apps", "create", "orbit-api", "--org", "personal"]]


def test_an_existing_app_is_left_alone(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-deployed"]))
    assert fly.app(request(org="personal")) == {"app": "orbit-api"}
    assert flyctl.asked("apps") == []


@pytest.mark.parametrize("fact", ["no-token-status-json", "api-500-status"])
def test_an_error_is_never_taken_for_a_missing_app(flyctl: Flyctl, facts: Facts, fact: str) -> None:
    flyctl.replies(("status", facts[fact]))
    with pytest.raises(DeployError, match="flyctl status"):
        fly.app(request(org="personal"))
    assert flyctl.asked("apps") == []


def test_secrets_go_by_standard_input_and_surplus_ones_are_unset(flyctl: Flyctl, facts: Facts) -> None:
    listed = {"stdout": json.dumps([{"name": "BETA", "digest": "x", "status": "Staged"}])}
    flyctl.replies(
        ("secrets import", facts["secrets-import-stage"]),
        ("secrets list", facts["secrets-list-json"]),
        ("secrets unset", {}),
        ("secrets list", listed),
    )
    assert fly.secrets(request(secrets={"BETA": "s3cret-value"})) == {"secrets": ["BETA"]}
    [imported] = flyctl.asked("secrets", "import")
    assert imported["stdin"] == "BETA=s3cret-value\n"
    assert "--stage" in imported["argv"]
    assert "s3cret-value" not in json.dumps([call["argv"] for call in flyctl.calls])
    [unset] = flyctl.asked("secrets", "unset")
    assert unset["argv"][2:5] == ["ALPHA", "GAMMA", "MULTI"]


@pytest.mark.parametrize("value", ["a#b", "two\nlines", 'quo"te', "", "$HOME", " space"])
def test_a_secret_that_flyctl_would_change_is_refused_without_showing_it(flyctl: Flyctl, value: str) -> None:
    with pytest.raises(DeployError) as error:
        fly.secrets(request(secrets={"BETA": value}))
    assert "BETA" in str(error.value)
    assert not value.strip() or value not in str(error.value)
    assert flyctl.calls == []


def test_a_secret_that_is_not_listed_afterwards_is_an_error(flyctl: Flyctl) -> None:
    flyctl.replies(("secrets import", {}), ("secrets list", NOTHING))
    with pytest.raises(DeployError, match="does not list BETA"):
        fly.secrets(request(secrets={"BETA": "x"}))


class Health:
    """What the app answers to the health request, in order; the last answer stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *versions: str | int) -> None:
        self.versions = list(versions)
        monkeypatch.setattr(httpx, "get", self.get)

    def get(self, url: str, **_: object) -> httpx.Response:
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        asked = httpx.Request("GET", url)
        if isinstance(version, int):
            return httpx.Response(version, request=asked, text="no")
        return httpx.Response(200, request=asked, json={"status": "ok", "version": version})


CONFIG = 'app = "orbit-api"\nprimary_region = "lax"\nkill_timeout = "30s"\n'
DEPLOY: dict[str, Any] = {"config": CONFIG, "strategy": "rolling", "health_url": "http://x/h", "secrets_version": "1"}


def test_a_deployment_answers_the_image_with_its_digest(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "_version", lambda request: "v2")
    Health(monkeypatch, 503, "v1", "v2")
    flyctl.replies(("deploy", facts["deploy-second-rolling"]), ("status", facts["status-json-deployed"]))
    assert fly.deploy(request(**DEPLOY)) == {
        "image": "registry.fly.io/orbit-api@sha256:" + "a" * 64,
        "version": "v2",
    }
    [deployed] = flyctl.asked("deploy")
    assert deployed["config"] == DEPLOY["config"]
    assert {"--ha=false", "--yes", "--dns-checks=false"} <= set(deployed["argv"])
    assert "GIT_SHA=v2" in deployed["argv"]


def test_a_deployment_that_still_answers_as_the_old_version_fails(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "_version", lambda request: "v2")
    Health(monkeypatch, "v1")
    monkeypatch.setattr(deployment, "HEALTH_TIMEOUT_S", 0.5)
    flyctl.replies(("deploy", facts["deploy-second-rolling"]), ("status", facts["status-json-deployed"]))
    with pytest.raises(DeployError, match=r"does not answer as version v2 .*version v1"):
        fly.deploy(request(**DEPLOY))


def test_a_failed_deployment_says_what_flyctl_said(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-empty-app"]), ("deploy", facts["deploy-checks-never-pass-rolling"]))
    with pytest.raises(DeployError, match=r"flyctl deploy .* failed \(exit 1\)"):
        fly.deploy(request(**DEPLOY))


A = "registry.fly.io/orbit-api@sha256:" + "a" * 64
B = "registry.fly.io/orbit-api@sha256:" + "b" * 64


def option(call: dict[str, Any], name: str) -> str | None:
    words: list[str] = call["argv"]
    return words[words.index(name) + 1] if name in words else None


def test_a_given_image_is_deployed_and_nothing_is_built(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    Health(monkeypatch, deployment._version(DeployRequest(app="orbit-api", image=A, **DEPLOY)))
    flyctl.replies(("deploy", facts["deploy-first-rolling"]), ("status", facts["status-json-deployed"]))
    assert fly.deploy(request(**DEPLOY, image=A))["image"] == A
    [deployed] = flyctl.asked("deploy")
    assert option(deployed, "--image") == A
    assert not {"--dockerfile", "--ignorefile", "--remote-only"} & set(deployed["argv"])
    assert "a" * 12 in str(option(deployed, "--env")), "the version tells the image"


@pytest.mark.parametrize("broken", ["the deployment fails", "another version answers"])
def test_after_a_failure_the_release_before_is_put_back(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(deployment, "HEALTH_TIMEOUT_S", 0)
    Health(monkeypatch, "v1")
    fails = broken == "the deployment fails"
    first = facts["deploy-checks-never-pass-rolling" if fails else "deploy-second-rolling"]
    flyctl.replies(("status", facts["status-json-deployed"]), ("deploy", first), ("deploy", facts["deploy-recover"]))
    with pytest.raises(DeployError, match=f"orbit-api is back on {A} with the configuration before"):
        fly.deploy(request(**DEPLOY, image=B))
    new, old = flyctl.asked("deploy")
    assert (option(new, "--image"), option(old, "--image")) == (B, A)
    config = tomllib.loads(old["config"])
    assert config["app"] == "orbit-api"
    assert config["env"] == {"LOG_LEVEL": "info"}, "as the machine had it, without what Fly adds"
    assert config["kill_timeout"] == "30s"
    assert config["vm"] == [{"cpu_kind": "shared", "cpus": 1, "memory_mb": 512}]
    service = config["http_service"]
    assert (service["force_https"], service["auto_stop_machines"], service["min_machines_running"]) == (True, "stop", 0)
    assert service["concurrency"] == {"type": "requests", "soft_limit": 200, "hard_limit": 250}
    assert service["checks"][0]["path"] == "/api/health"
    assert option(old, "--env") is None, "the version before is in the environment before"


def test_the_stray_machine_of_a_failed_canary_is_removed(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = facts["status-json-deployed"], facts["status-json-two-machines"]
    flyctl.replies(
        ("status", one),
        ("deploy", facts["deploy-checks-never-pass-canary"]),
        ("deploy", facts["deploy-recover"]),
        ("status", two),
        ("scale count", {}),
        ("status", one),
    )
    with pytest.raises(DeployError, match="is back on"):
        fly.deploy(request(**DEPLOY, image=B))
    assert [call["argv"][:3] for call in flyctl.asked("scale")] == [["scale", "count", "1"]]


def test_a_release_that_cannot_be_put_back_is_said_too(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-deployed"]), ("deploy", facts["deploy-checks-never-pass-rolling"]))
    with pytest.raises(DeployError, match=r"(?s)failed \(exit 1\).*could not be put back"):
        fly.deploy(request(**DEPLOY, image=B))


def test_a_first_deployment_that_fails_has_nothing_to_put_back(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-empty-app"]), ("deploy", facts["deploy-first-checks-never-pass"]))
    with pytest.raises(DeployError, match="no complete release before"):
        fly.deploy(request(**DEPLOY, image=B))
    assert len(flyctl.asked("deploy")) == 1


def test_the_count_that_is_there_already_changes_nothing(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-two-machines"]))
    assert fly.scale(request(machines=2)) == {"machines": 2}
    assert flyctl.asked("scale") == []


def test_scaling_waits_until_the_machines_are_there(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(
        ("status", facts["status-json-deployed"]),
        ("scale count", facts["scale-count-2"]),
        ("status", facts["status-json-two-machines"]),
    )
    assert fly.scale(request(machines=2)) == {"machines": 2}
    assert flyctl.asked("scale")[0]["argv"][:4] == ["scale", "count", "2", "--yes"]


def test_a_certificate_is_added_once_and_waited_for(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("certs list", NOTHING), ("certs add", facts["certs-add"]), ("certs list", facts["certs-list-json"]))
    assert fly.certificate(request(hostname="api.example.com"))["status"] == "active"
    assert fly.certificate(request(hostname="api.example.com"))["status"] == "active"
    assert len(flyctl.asked("certs", "add")) == 1


def test_a_certificate_that_stays_pending_says_what_to_do(
    flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[fly.certificate.__module__], "TIMEOUT_S", 0)
    flyctl.replies(("certs list", facts["certs-list-json"]))
    with pytest.raises(DeployError, match="flyctl certs check"):
        fly.certificate(request(hostname="new.example.com"))


def test_destroying_a_missing_app_does_nothing(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["missing-app-status-json"]))
    fly.destroy_app(request(org="personal"))
    assert flyctl.asked("apps") == []


def test_another_address_reaches_every_variable_of_flyctl(flyctl: Flyctl, facts: Facts) -> None:
    flyctl.replies(("status", facts["status-json-deployed"]))
    fly.app(request(org="personal", fly_url="http://127.0.0.1:1"))
    env = flyctl.calls[0]["env"]
    assert {env[f"FLY_{api}_BASE_URL"] for api in ("API", "FLAPS", "UIEX")} == {"http://127.0.0.1:1"}


def test_inputs_are_checked(flyctl: Flyctl) -> None:
    with pytest.raises(DeployError, match=r"machines: .*integer.*; bogus: "):
        fly.scale(request(machines="many", bogus=1))


def test_every_flag_we_use_is_one_of_flyctls(flyctl: Flyctl, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    known = json.loads((FACTS / "flyctl-flags.json").read_text())["commands"]
    test_a_missing_app_is_created_once(flyctl, facts)
    test_secrets_go_by_standard_input_and_surplus_ones_are_unset(flyctl, facts)
    test_a_deployment_answers_the_image_with_its_digest(flyctl, facts, monkeypatch)
    test_scaling_waits_until_the_machines_are_there(flyctl, facts)
    flyctl.replies(("certs list", NOTHING), ("certs add", {}), ("certs list", facts["certs-list-json"]))
    fly.certificate(request(hostname="api.example.com"))
    for call in flyctl.calls:
        words = call["argv"]
        command = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        flags = {word.split("=", 1)[0] for word in words if word.startswith("--")}
        assert flags <= set(known[command]), (command, flags - set(known[command]))
