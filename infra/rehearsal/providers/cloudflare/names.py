"""Cloudflare's snake_case against the provider's camelCase; names that are the user's own stay as they are."""

import re

from infra.rehearsal.values import Value

OWN_NAMES = frozenset(
    {
        *("envVars", "kvNamespaces", "d1Databases", "r2Buckets", "services", "queueProducers", "aiBindings"),
        *("durableObjectNamespaces", "analyticsEngineDatasets", "browsers", "hyperdriveBindings"),
        *("mtlsCertificates", "vectorizeBindings"),
    }
)
"""Objects whose keys are names that a user chose: the bindings of a Pages project."""

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LOWER = re.compile(r"_([a-z0-9])")


def snake_name(name: str) -> str:
    return _UPPER.sub(lambda found: "_" + found[1].lower(), name)


def camel_name(name: str) -> str:
    return _LOWER.sub(lambda found: found[1].upper(), name)


def snake(value: Value) -> Value:
    if isinstance(value, dict):
        return {
            snake_name(key): {own: snake(one) for own, one in part.items()}
            if key in OWN_NAMES and isinstance(part, dict)
            else snake(part)
            for key, part in value.items()
        }
    return [snake(part) for part in value] if isinstance(value, list) else value


def camel(value: Value) -> Value:
    """Also leaves out what is null: an absent output and a null one are the same to the SDK."""
    if isinstance(value, dict):
        return {
            camel_name(key): {own: camel(one) for own, one in part.items() if one is not None}
            if camel_name(key) in OWN_NAMES and isinstance(part, dict)
            else camel(part)
            for key, part in value.items()
            if part is not None
        }
    return [camel(part) for part in value] if isinstance(value, list) else value
