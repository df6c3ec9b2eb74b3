"""What a stack amounts to, in a form that two runs share: the engine's state, and what is in the clouds."""

import json
import re
from typing import Any

import httpx

from infra.localcloud.fly import views
from infra.localcloud.stackfile import credentials
from tests.faults.clouds import Clouds
from tests.faults.scene import Scene

MADE_UP = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}"  # ids of resources and deployments
    r"|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"  # ids of tokens
    r"|(?<=https://)[0-9a-f]{8}(?=\.)"  # a deployment's own address
    r"|v1:[^\"]+:[^\"]+"  # what is encrypted
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z"
    r"|deployment-[0-9A-Z]{26}"  # an image's tag
    r"|(?<=secrets_version\": \")[0-9a-f]{12}"  # a fingerprint of random keys
)
LEFT_OUT = ("id", "stderr", "issuedOn", "modifiedOn", "createdOn", "creationDate")


def stack(scene: Scene) -> dict[str, Any]:
    """Resources by name and outputs, as saved."""
    if not scene.state.exists():
        return {}
    document = json.loads(scene.state.read_text())
    resources = document.get("resources", [])
    shown = {one["urn"]: _masked(one) for one in resources if not one["urn"].endswith("default")}
    assert not document.get("pending"), f"the state has unfinished operations: {document['pending']}"
    return shown


def _masked(resource: Any) -> Any:
    """Without what each run makes up, and without a command's log."""
    if isinstance(resource, dict):
        return {key: _masked(value) for key, value in sorted(resource.items()) if key not in LEFT_OUT}
    if isinstance(resource, list):
        return [_masked(value) for value in resource]
    return MADE_UP.sub("*", resource) if isinstance(resource, str) else resource


def clouds(found: Clouds) -> dict[str, Any]:
    """Everything in the four clouds that a stack makes, and that the parts fit each other."""
    return {**cloudflare(found), "fly": fly(found), "modal": found.run(found.modal_lists())}


def cloudflare(found: Clouds) -> dict[str, Any]:
    config = found.config
    account = f"{found.cloudflare.url}/accounts/{config.account_id}"
    headers = {"authorization": f"Bearer {credentials()['CLOUDFLARE_API_TOKEN']}"}
    with httpx.Client(base_url=account, headers=headers) as api:
        buckets = [bucket["name"] for bucket in _result(api, "r2/buckets")["buckets"]]
        tokens = _result(api, "tokens")
        projects = _result(api, "pages/projects")
        return {
            "buckets": {name: _rules(api, name) for name in buckets},
            "tokens": [(token["name"], _masked(token["policies"])) for token in tokens],
            "projects": {one["name"]: (one["production_branch"], _live(found, one)) for one in projects},
        }


def _rules(api: httpx.Client, bucket: str) -> list[Any]:
    return [_result(api, f"r2/buckets/{bucket}/{part}") for part in ("cors", "lifecycle")]


def _result(api: httpx.Client, path: str) -> Any:
    answer = api.get(path).json()
    return answer["result"] if answer["success"] else answer["errors"][0]["code"]


def _live(found: Clouds, project: dict[str, Any]) -> Any:
    """What the production deployment answers with."""
    if not project.get("canonical_deployment"):
        return None
    with httpx.Client(base_url=found.cloudflare.site.url) as web:
        page = web.get("/")
        return page.text, page.headers["content-security-policy"], web.get("/config.json").text


def fly(found: Clouds) -> dict[str, Any]:
    """The apps, and what answers under this stack's; the machines must have the one storage key that exists."""
    apps = {host.name: _app(host) for host in found.fly.apps()}
    if not any(machines for machines, _ in apps.values()):
        return apps
    answer = httpx.get(f"http://127.0.0.1:{found.fly.fronts[found.config.fly_app]}/api/health", timeout=60)
    return {**apps, "answers": (answer.status_code, answer.json().get("version"))}


def _app(host: Any) -> tuple[list[Any], list[str]]:
    machines = [(runner.record.image, runner.record.state) for runner in host.machines.values()]
    return sorted(MADE_UP.sub("*", str(machine)) for machine in machines), [
        view["name"] for view in views.secret_views(host)
    ]


def keys_that_do_not_fit(found: Clouds) -> str:
    """Empty where the machines hold the one storage key that exists; else what is wrong."""
    account = f"{found.cloudflare.url}/accounts/{found.config.account_id}"
    headers = {"authorization": f"Bearer {credentials()['CLOUDFLARE_API_TOKEN']}"}
    with httpx.Client(base_url=account, headers=headers) as api:
        tokens = [token["id"] for token in _result(api, "tokens")]
    answer = httpx.get(f"http://127.0.0.1:{found.fly.fronts[found.config.fly_app]}/api/health", timeout=60)
    held = answer.json()["key"]
    return "" if tokens == [held] else f"the machines hold the key {held}, and there are {tokens}"
