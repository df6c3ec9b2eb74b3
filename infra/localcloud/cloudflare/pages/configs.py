"""A project's `deployment_configs`: defaults, merging as PATCH does it, and environment variables.

The value of a `secret_text` variable is dropped on arrival: nothing here runs Functions, so nothing could use it, and
it can never be answered. In a PATCH a null removes what it names and an absent key stays.
"""

from datetime import UTC, datetime
from typing import Any

from infra.localcloud.cloudflare.envelope import CloudflareError, Json

ENVIRONMENTS = ("preview", "production")
_KINDS = ("plain_text", "secret_text")


def invalid(message: str) -> CloudflareError:
    return CloudflareError(400, 8000000, f"The project is not valid: {message}")


def defaults() -> dict[str, Json]:
    return {environment: _default() for environment in ENVIRONMENTS}


def _default() -> Json:
    return {
        "env_vars": None,
        "fail_open": True,
        "always_use_latest_compatibility_date": False,
        "compatibility_date": datetime.now(UTC).date().isoformat(),
        "compatibility_flags": [],
        "build_image_major_version": 3,
        "usage_model": "standard",
    }


def merged(current: dict[str, Json], change: Any) -> dict[str, Json]:  # noqa: ANN401 -- JSON from outside, checked here
    """The configurations after a create or PATCH; raises for unknown environments and malformed variables."""
    if change is None:
        return current
    if not isinstance(change, dict):
        raise invalid("deployment_configs is no object")
    result = dict(current)
    for environment, config in change.items():
        if environment not in ENVIRONMENTS or not isinstance(config, dict):
            raise invalid(f"deployment_configs.{environment} is no configuration; use {' and '.join(ENVIRONMENTS)}")
        result[environment] = _merged_config(current[environment], config, environment)
    return result


def _merged_config(current: Json, change: Json, environment: str) -> Json:
    result = dict(current)
    for key, value in change.items():
        if key == "env_vars":
            result[key] = _merged_variables(current.get(key) or {}, value, environment)
        elif isinstance(value, dict):
            kept = {**(current.get(key) or {}), **value}
            result[key] = {name: binding for name, binding in kept.items() if binding is not None}
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return _default() | result


def _merged_variables(current: Json, change: Any, environment: str) -> Json | None:  # noqa: ANN401 -- JSON from outside
    if change is None:
        return None
    if not isinstance(change, dict):
        raise invalid(f"deployment_configs.{environment}.env_vars is no object")
    result = dict(current)
    for name, variable in change.items():
        if variable is None:
            result.pop(name, None)
        else:
            result[name] = _variable(variable, f"deployment_configs.{environment}.env_vars.{name}")
    return result or None


def _variable(given: Any, where: str) -> Json:  # noqa: ANN401 -- JSON from outside, checked here
    if not isinstance(given, dict) or not isinstance(given.get("value"), str):
        raise invalid(f"{where} must be an object with a type and a string value")
    kind = given.get("type") or "plain_text"
    if kind not in _KINDS:
        raise invalid(f"{where}.type is {kind!r}; choose from {', '.join(_KINDS)}")
    return {"type": kind, "value": given["value"] if kind == "plain_text" else ""}
