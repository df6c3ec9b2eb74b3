"""The plan of a committed stack, made by running the program as a preview on providers that make nothing.

No cloud is called and no secret is needed: what a stack file leaves open gets a placeholder, which is never drawn.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from infra.config import NAMESPACE, SECRET_KEYS, StackConfig
from infra.rehearsal.api import run
from infra.rehearsal.project import read_project
from infra.rehearsal.providers.fake import Fake
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values, is_secret, is_unknown
from infra.sources import ROOT

PLACEHOLDERS = {f"{NAMESPACE}:{key}": "unused" for key in SECRET_KEYS}


class PlanError(Exception):
    """The program cannot be planned; the message holds what it said."""


@dataclass(frozen=True)
class LookUp:
    """A call that finds what another stack owns: `function` as in `cloudflare:index/getR2Bucket:getR2Bucket`."""

    function: str
    name: str


@dataclass(frozen=True)
class Plan:
    """`resources`: what the program declares, the stack itself and providers left out. `outputs`: known ones only."""

    stack: str
    config: StackConfig
    resources: list[Resource]
    look_ups: list[LookUp]
    outputs: dict[str, Any]


@dataclass
class Onlooker(Fake):
    """Makes nothing and finds whatever it is asked for, under the name it is asked by."""

    look_ups: list[LookUp] = field(default_factory=list)

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        [name] = [str(value) for key, value in arguments.items() if key.endswith("Name")]
        with self._lock:
            self.look_ups.append(LookUp(token, name))
        return {**arguments, "name": name, "subdomain": f"{name}.pages.dev"}


def plan(stack: str) -> Plan:
    """Raises PlanError, and FileNotFoundError where the stack has no file."""
    values = _values(stack)
    onlooker = Onlooker()
    project = read_project(ROOT)
    result = run(
        project.program,
        providers={"cloudflare": onlooker, "command": onlooker},
        config=values,
        secret_keys=frozenset(PLACEHOLDERS),
        project=project.name,
        stack=stack,
        preview=True,
    )
    if not result.succeeded:
        raise PlanError("\n".join(one.message for one in result.diagnostics))
    return Plan(
        stack=stack,
        config=StackConfig.parse(stack, values),
        resources=[one for one in result.resources if not one.is_stack and not one.is_provider],
        look_ups=sorted(onlooker.look_ups, key=lambda one: (one.function, one.name)),
        outputs={
            name: value for name, value in result.outputs.items() if not is_secret(value) and not is_unknown(value)
        },
    )


def _values(stack: str) -> dict[str, str]:
    """The stack file's values as text, with placeholders for the secrets."""
    written: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    plain = {key: value for key, value in written.items() if not (isinstance(value, dict) and "secure" in value)}
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in plain.items()}
    return {**PLACEHOLDERS, **text}
