"""Providers that make everything at once and remember nothing: a program applied on them resolves every input."""

import json
from typing import Any

from infra.rehearsal.diff import Changes
from infra.rehearsal.providers.base import Call, Made
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Values, plain, secret

STEP_RESULTS: dict[str, dict[str, Any]] = {
    "fly app": {"app": "FLY-APP"},
    "fly deploy": {"image": "registry.fly.io/FLY-APP@sha256:IMAGE", "version": "1"},
    "modal deploy": {"app": "MODAL-APP"},
    "pages deploy": {"url": "https://DEPLOYMENT.pages.dev", "site_digest": "SITE-DIGEST"},
}


class FakeCloud:
    """Answers for every package; ids are NAME-id, and what a cloud would make up is in capitals."""

    def check(self, inputs: Values) -> Values:
        return inputs

    def diff(self, old: Resource, inputs: Values) -> Changes:
        raise AssertionError("nothing exists before")

    def plan(self, call: Call) -> Made:
        return Made("", {**call.inputs, **dict.fromkeys(self._computed(call), UNKNOWN)})

    def create(self, call: Call) -> Made:
        return Made(f"{call.resource.name}-id", {**call.inputs, **self._computed(call)})

    def update(self, call: Call) -> Values:
        raise AssertionError("nothing exists before")

    def delete(self, call: Call) -> None:
        raise AssertionError("nothing exists before")

    def exists(self, call: Call) -> bool:
        return False

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        name = arguments.get("bucketName") or arguments.get("projectName")
        return {"name": name, "subdomain": f"{name}.pages.dev"}

    def _computed(self, call: Call) -> Values:
        match call.resource.type.rpartition(":")[2]:
            case "AccountToken":
                return {"value": secret("TOKEN-VALUE")}
            case "PagesProject":
                return {"subdomain": f"{call.inputs['name']}.pages.dev"}
            case "Command":
                step = str(plain(call.inputs["create"])).partition("infra.deploy ")[2]
                return {"stdout": json.dumps(STEP_RESULTS.get(step, {})), "stderr": ""}
        return {}
