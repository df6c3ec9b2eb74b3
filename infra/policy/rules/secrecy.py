"""Secrets: only on a command's standard input, and marked; never in its environment, its words or a plain output.

Known are the secrets by their mark, by what the plan marks elsewhere, by the stack file, and by the name of a field.
A message names the place and never the value.
"""

import re
from collections.abc import Iterator
from typing import Final

from infra.policy.model import STACK_TYPE, Context, Plan, PlannedResource, ResourceRule, StackRule
from infra.policy.steps import is_command
from infra.policy.values import Secret, Value, is_secret_name, known, object_of, plain_texts

AMBIENT: Final = ("FLY_", "CLOUDFLARE_", "MODAL_", "AWS_")
SHORTEST: Final = 8
"""A shorter secret is found in too many innocent texts."""
WORDS: Final = ("create", "update", "delete")
_ASSIGNED: Final = re.compile(r"(?:^|[\s;&|(])(?:--?)?([A-Za-z][A-Za-z0-9_-]*)=\S")


def secret_texts(value: Value, *, inside: bool = False) -> Iterator[str]:
    """Texts that a marked value hides. Of a JSON object in a text these are the fields with a secret's name."""
    if isinstance(value, Secret):
        yield from secret_texts(value.value, inside=True)
    elif isinstance(value, dict):
        for part in value.values():
            yield from secret_texts(part, inside=inside)
    elif isinstance(value, list):
        for part in value:
            yield from secret_texts(part, inside=inside)
    elif isinstance(value, str) and inside:
        found = object_of(value)
        texts = [value] if found is None else [text for name, text in _fields(found) if is_secret_name(name)]
        yield from (text for text in texts if len(text) >= SHORTEST)


def secrets_of(resource: PlannedResource) -> frozenset[str]:
    return frozenset(text for value in resource.inputs.values() for text in secret_texts(value))


def _fields(value: Value, name: str = "") -> Iterator[tuple[str, str]]:
    """(name of the innermost field, text) of everything in a JSON value."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _fields(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part, name)


def _holds(text: str, context: Context) -> bool:
    return any(secret in text for secret in context.secrets)


def _environment_is_plain(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_command(resource):
        return
    environment = known(resource.inputs.get("environment"), "environment")
    if isinstance(environment, Secret):
        yield "its environment is secret: secrets go to its standard input"
        return
    for name, value in (environment if isinstance(environment, dict) else {}).items():
        if name.startswith(AMBIENT) and not name.endswith("_URL"):
            yield f"environment.{name}: a cloud's credential would lie in the state, and a delete would use an old one"
        elif isinstance(value, Secret):
            yield f"environment.{name} is secret"
        elif isinstance(value, str) and value and (is_secret_name(name) or _holds(value, context)):
            yield f"environment.{name} is a secret in clear"


def _words_are_plain(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_command(resource):
        return
    for verb in WORDS:
        text = resource.inputs.get(verb)
        if isinstance(text, Secret):
            yield f"{verb} is secret: every process of the machine can read its words"
        elif isinstance(text, str) and _holds(text, context):
            yield f"{verb} has a secret of the stack in its words"
        elif isinstance(text, str):
            names = [name for name in _ASSIGNED.findall(text) if is_secret_name(name)]
            yield from (f"{verb} hands over {name} in its words" for name in names)


def _stdin_is_marked(resource: PlannedResource, context: Context) -> Iterator[str]:
    text = resource.inputs.get("stdin") if is_command(resource) else None
    if not isinstance(text, str):
        return
    if _holds(text, context):
        yield "stdin holds a secret of the stack and is not marked secret"
    for name, value in _fields(object_of(text)):
        if is_secret_name(name) and value:
            yield f"stdin has {name} and is not marked secret"


def _nothing_in_clear(plan: Plan) -> Iterator[tuple[str, str]]:
    for resource in plan.resources:
        for path, text in plain_texts(dict(resource.inputs)):
            if resource.type != STACK_TYPE and _holds(text, plan.context):
                yield resource.urn, f"{path} holds a secret of the stack in clear"


def _outputs_are_marked(plan: Plan) -> Iterator[tuple[str, str]]:
    for name, value in plan.outputs.items():
        for path, text in plain_texts(value, name):
            if _holds(text, plan.context):
                yield "", f"the output {path} holds a secret of the stack in clear"
            elif text and is_secret_name(re.split(r"[.\[]", path)[-1] or name):
                yield "", f"the output {path} is named like a secret and is not marked secret"


RULES = (
    ResourceRule(
        name="no-secret-in-environment",
        description="A command's environment holds no secret and no credential of a cloud: it lies in the state.",
        remedy="pass secrets in `inputs` of deploy_step(secret=True); cloud credentials are the ambient environment's",
        check=_environment_is_plain,
    ),
    ResourceRule(
        name="no-secret-in-words",
        description="A command's words hold no secret: they are in the process list, the log and every error.",
        remedy="pass it in `inputs` of deploy_step(secret=True)",
        check=_words_are_plain,
    ),
    ResourceRule(
        name="secret-input-is-marked",
        description="A secret on a command's standard input is marked, so that the state encrypts it.",
        remedy="use deploy_step(secret=True) or pulumi.Output.secret",
        check=_stdin_is_marked,
    ),
)

STACK_RULES = (
    StackRule(
        name="no-secret-in-clear",
        description="What is secret in one place of a plan is in clear in no other.",
        remedy="derive the other value from the secret one without pulumi.Output.unsecret",
        check=_nothing_in_clear,
    ),
    StackRule(
        name="secret-outputs-are-marked",
        description="A stack output that is a secret is marked secret.",
        remedy="export pulumi.Output.secret(value)",
        check=_outputs_are_marked,
    ),
)
