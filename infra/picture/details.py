"""What is said about one resource: its cloud, its kind, its name out there, and how the engine treats it."""

import json
import re
from collections.abc import Callable
from typing import Any

from infra.rehearsal.resource import Resource
from infra.rehearsal.values import is_secret, is_unknown, plain

STEP = re.compile(r"-m infra\.deploy (\S+) (\S+)")
CLOUD_OF_TOOL = {"fly": "fly", "modal": "modal", "pages": "cloudflare"}

Inputs = dict[str, Any]


def kind(resource: Resource) -> str:
    """The provider's type, or the step that a command runs."""
    if step := _step(resource):
        return f"command: {' '.join(step)}"
    return resource.type.rpartition(":")[2]


def cloud(resource: Resource) -> str:
    """`cloudflare`, `fly`, `modal`; "" for what is unknown to this room."""
    if step := _step(resource):
        return CLOUD_OF_TOOL.get(step[0], "")
    package = resource.type.partition(":")[0]
    return package if package in CLOUD_OF_TOOL.values() else ""


def detail(resource: Resource) -> str:
    """Lines that tell this one from others of its kind; "" where a preview cannot know it."""
    inputs = {key: value for key, value in plain_inputs(resource).items() if not is_unknown(value)}
    if _step(resource):
        return _of_step(inputs)
    describe = DETAILS.get(kind(resource), _name)
    return describe(inputs)


def marks(resource: Resource) -> tuple[str, ...]:
    inputs = resource.inputs
    environment = inputs.get("environment")
    found = {
        "protected": resource.protect,
        "stays when destroyed": resource.retain_on_delete,
        "secret input": any(map(is_secret, inputs.values())),
        "secret output": _step(resource) is None and bool(resource.additional_secret_outputs),
        "runs again when its sources change": isinstance(environment, dict) and "SOURCE_HASH" in environment,
        "undone when destroyed": bool(inputs.get("delete")),
    }
    return tuple(mark for mark, holds in found.items() if holds)


def plain_inputs(resource: Resource) -> Inputs:
    return {key: plain(value) for key, value in resource.inputs.items()}


def _step(resource: Resource) -> tuple[str, str] | None:
    found = STEP.search(str(plain(resource.inputs.get("create"))))
    return (found[1], found[2]) if found else None


def _of_step(inputs: Inputs) -> str:
    """The name that the step is about, from the JSON on its standard input."""
    if "stdin" not in inputs:
        return ""
    given = json.loads(inputs["stdin"])
    parts = [given.get(key) for key in ("app", "project", "name", "hostname")]
    name = next((str(part) for part in parts if part), "")
    place = given.get("environment") or given.get("branch")
    return f"{name} ({place})" if place else name


def _name(inputs: Inputs) -> str:
    return str(inputs.get("name", ""))


def _record(inputs: Inputs) -> str:
    how = "" if inputs.get("proxied") else "\nnot proxied"
    return f"{inputs.get('type')} {inputs.get('name')}{how}"


def _cors(inputs: Inputs) -> str:
    hosts = [origin.partition("://")[2] for rule in inputs["rules"] for origin in rule["allowed"]["origins"]]
    return "\n".join(hosts)


def _lifecycle(inputs: Inputs) -> str:
    prefixes = [rule["conditions"]["prefix"] for rule in inputs["rules"] if "deleteObjectsTransition" in rule]
    return "empties " + ", ".join(prefixes)


DETAILS: dict[str, Callable[[Inputs], str]] = {
    "DnsRecord": _record,
    "R2BucketCors": _cors,
    "R2BucketLifecycle": _lifecycle,
}
