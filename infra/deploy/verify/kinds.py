"""Which kinds of export the API offers, and how verification asks for one of each.

A kind that the API offers and that has no entry here is a failed row: nothing is deployed that is never tried.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Json
from infra.deploy.journey.edit import make_project
from infra.deploy.verify.visit import Visit


async def _extract(visit: Visit) -> Json:
    return {"kind": "extract", "clip_id": visit.made.clip["id"]}


async def _framing(visit: Visit) -> Json:
    project = await make_project(visit.api, visit.made.media, visit.made.clip)
    return {"kind": "framing", "project_id": project["id"]}


REQUESTS: Mapping[str, Callable[[Visit], Awaitable[Json]]] = {"extract": _extract, "framing": _framing}


def offered(schema: Mapping[str, Any]) -> list[str]:
    """From the API's OpenAPI document; raises DeployError when it does not say."""
    try:
        body = schema["paths"]["/api/exports"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        kinds = [kind for variant in _variants(schema, body) for kind in _kinds(variant["properties"]["kind"])]
    except (KeyError, TypeError):
        kinds = []
    if not kinds:
        raise DeployError("the API's schema does not say which kinds of export there are")
    return sorted(set(kinds))


def _variants(schema: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The object schemas behind references and alternatives."""
    if "$ref" in node:
        return _variants(schema, schema["components"]["schemas"][str(node["$ref"]).rpartition("/")[2]])
    alternatives = node.get("oneOf") or node.get("anyOf")
    return [found for each in alternatives for found in _variants(schema, each)] if alternatives else [node]


def _kinds(node: Mapping[str, Any]) -> list[str]:
    return [str(node["const"])] if "const" in node else [str(kind) for kind in node["enum"]]
