"""Resources for rules to judge: small ones by hand, and those of the real stacks."""

import json
from collections.abc import Mapping
from typing import Any

import tomli_w
import yaml

from infra.policy.model import COMMAND, Context, Plan, PlannedResource
from infra.policy.values import Value, from_wire
from infra.rehearsal.api import Result, run
from infra.rehearsal.resource import Resource
from infra.sources import ROOT
from tests.infra.fake_cloud import FakeCloud
from tests.infra.test_stack import SECRETS

LOCAL = Context("local", {"environment": "development"})
STAGING = Context("staging", {"environment": "staging"})
PRODUCTION = Context("production", {"environment": "production"})
DIGEST = f"registry.fly.io/reel@sha256:{'a' * 64}"


def resource(type_: str, inputs: Mapping[str, Value] | None = None, **options: Any) -> PlannedResource:
    name = options.pop("name", "thing")
    return PlannedResource(f"urn:pulumi:test::reel::{type_}::{name}", type_, name, inputs or {}, **options)


def command(inputs: Mapping[str, Value], **options: Any) -> PlannedResource:
    return resource(COMMAND, {"create": "true", "addPreviousOutputInEnv": False, **inputs}, **options)


def step(words: str, stdin: "dict[str, Any] | Value", **more: Value) -> PlannedResource:
    text = json.dumps(stdin) if isinstance(stdin, dict) else stdin
    return command({"create": f".venv/bin/python -m infra.deploy {words}", "stdin": text, **more})


def fly_toml(**changes: Any) -> str:
    """A configuration that every rule likes; `changes` by the key's dotted path with `__` for the dot."""
    config: dict[str, Any] = {
        "app": "reel",
        "primary_region": "ord",
        "vm": [{"cpu_kind": "shared", "cpus": 1, "memory_mb": 1024}],
        "env": {"APP_ENV": "production", "CORS_ORIGINS": "https://app.example.org"},
        "http_service": {
            "auto_stop_machines": "stop",
            "min_machines_running": 1,
            "checks": [{"path": "/api/health"}],
        },
    }
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = config
        for section in sections:
            place = place[section]
        place[key] = value
    return tomli_w.dumps(config)


def deployment(*, image: Any = DIGEST, fly_url: Any = None, **changes: Any) -> PlannedResource:
    return step("fly deploy", {"config": fly_toml(**changes), "image": image, "fly_url": fly_url})


def planned(one: Resource) -> PlannedResource:
    """A resource of the rehearsal, which knows more than the protocol tells a policy pack."""
    return PlannedResource(
        urn=one.urn,
        type=one.type,
        name=one.name,
        inputs={key: from_wire(value) for key, value in one.inputs.items()},
        protect=one.protect,
        retain_on_delete=one.retain_on_delete,
        additional_secret_outputs=tuple(one.additional_secret_outputs),
    )


def stack_values(stack: str, **changes: str) -> dict[str, str]:
    """The settings of a committed stack file as text, with secrets."""
    values = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return {**text, **SECRETS, **{f"reel:{key}": value for key, value in changes.items()}}


def stack_plan(stack: str, **changes: str) -> Plan:
    """The whole plan of a committed stack, resolved; the pipeline gives production its image, and so does this."""
    image = {"image": DIGEST} if stack == "production" else {}
    values = stack_values(stack, **{**image, **changes})
    result = _run(stack, values)
    context = Context(stack, {key.removeprefix("reel:"): text for key, text in values.items() if key not in SECRETS})
    outputs = {key: from_wire(value) for key, value in result.outputs.items()}
    return Plan(context, tuple(map(planned, result.resources)), outputs)


def _run(stack: str, values: dict[str, str]) -> Result:
    cloud = FakeCloud()
    result = run(
        _declare,
        providers={"cloudflare": cloud, "command": cloud},
        config=values,
        secret_keys=frozenset(SECRETS),
        project="reel",
        stack=stack,
    )
    assert result.succeeded, result.diagnostics
    return result


def _declare() -> None:
    import pulumi

    from infra import stack

    for name, value in stack.build(stack.current_config()).items():
        pulumi.export(name, value)
