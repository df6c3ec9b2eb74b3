"""What a command resource runs: a step of `python -m infra.deploy`, its inputs, and the fly.toml among them."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from infra.config import NAMESPACE, SECRET_KEYS, ConfigError, StackConfig
from infra.fly_config import fly_config, render
from infra.policy.model import COMMAND, Context, PlannedResource
from infra.policy.values import NotKnownError, UnreadableError, Value, known, object_of, unsecret

_STEP = re.compile(r"-m infra\.deploy (\S.*)$")


def is_command(resource: PlannedResource) -> bool:
    """Whether it runs a command here or elsewhere."""
    return resource.type == COMMAND or resource.type == "command:remote:Command"


def is_step(resource: PlannedResource, words: str) -> bool:
    """Whether it is the step `python -m infra.deploy WORDS`."""
    create = unsecret(resource.inputs.get("create"))
    found = _STEP.search(create) if is_command(resource) and isinstance(create, str) else None
    return found is not None and found[1] == words


def step_inputs(resource: PlannedResource, context: Context) -> Mapping[str, Value]:
    """The JSON object on the step's standard input; raises NotKnownError or UnreadableError.

    A preview of a new stack does not know it, because it has names that only an apply yields. Then it is what the
    program makes of the stack file.
    """
    try:
        text = known(unsecret(resource.inputs.get("stdin")), "stdin")
    except NotKnownError:
        return _promised(context)
    found = object_of(text) if isinstance(text, str) else None
    if found is None:
        raise UnreadableError("stdin is no JSON object")
    return found


def _promised(context: Context) -> Mapping[str, Value]:
    """Of `fly deploy` and `fly scale`, what rules judge; raises NotKnownError where the stack file is not complete."""
    values = dict.fromkeys((f"{NAMESPACE}:{key}" for key in SECRET_KEYS), "unused")
    values |= {f"{NAMESPACE}:{key}": text for key, text in context.config.items()}
    try:
        config = StackConfig.parse(context.stack, values)
    except ConfigError as error:
        raise NotKnownError("stdin") from error
    return {
        "config": render(fly_config(config)),
        "image": config.image,
        "fly_url": config.fly_url,
        "machines": config.machines,
    }


def fly_settings(deployment: PlannedResource, context: Context) -> dict[str, Any]:
    """The Fly configuration of a `fly deploy`; raises NotKnownError or UnreadableError."""
    text = step_inputs(deployment, context).get("config")
    if not isinstance(text, str):
        raise UnreadableError("stdin has no `config`")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(f"stdin.config is no TOML: {error}") from error


def fly_environment(deployment: PlannedResource, context: Context) -> dict[str, Any]:
    """The backend's plain environment; raises as `fly_settings` does."""
    found = fly_settings(deployment, context).get("env")
    return found if isinstance(found, dict) else {}
