"""A bucket's CORS rules over the account API, in its camel case, kept in the R2 stand-in that applies them."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.bucket_path import BUCKET, bucket_name
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok
from infra.localcloud.r2.protocol import BucketControl, CorsRule

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/?#\s]+")
_PATH = BUCKET + "/cors"


class BucketCors:
    def __init__(self, control: BucketControl) -> None:
        self._control = control

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.get, methods=["GET"]),
            Route(_PATH, self.put, methods=["PUT"]),
            Route(_PATH, self.delete, methods=["DELETE"]),
        ]

    async def get(self, request: Request) -> Response:
        rules = self._control.cors(self._bucket(request))
        if not rules:
            raise CloudflareError(404, 10059, "The CORS configuration does not exist.")
        return ok({"rules": [_public(rule) for rule in rules]})

    async def put(self, request: Request) -> Response:
        bucket = self._bucket(request)
        given = (await json_body(request)).get("rules")
        if not isinstance(given, list) or not given:
            raise _invalid("rules is empty or no list; give at least one rule, or DELETE the configuration")
        self._control.set_cors(bucket, [_rule(rule, index) for index, rule in enumerate(given)])
        return ok({})

    async def delete(self, request: Request) -> Response:
        self._control.set_cors(self._bucket(request), None)
        return ok({})

    def _bucket(self, request: Request) -> str:
        return bucket_name(self._control, request)


def _invalid(message: str) -> CloudflareError:
    return CloudflareError(400, 10040, f"The CORS policy is not valid: {message}")


def _rule(given: Any, index: int) -> CorsRule:  # noqa: ANN401 -- JSON from outside, checked here
    where = f"rules[{index}]"
    if not isinstance(given, dict) or not isinstance(given.get("allowed"), dict):
        raise _invalid(f"{where} has no object 'allowed'")
    allowed = given["allowed"]
    origins = _strings(allowed.get("origins"), f"{where}.allowed.origins")
    methods = _strings(allowed.get("methods"), f"{where}.allowed.methods")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise _invalid(f"{where}.allowed.origins has {origin!r}; an origin is scheme://host[:port] without a path")
    for method in methods:
        if method not in METHODS:
            raise _invalid(f"{where}.allowed.methods has {method!r}; choose from {', '.join(METHODS)}")
    if not origins or not methods:
        raise _invalid(f"{where}.allowed needs at least one origin and one method")
    return CorsRule(
        origins=origins,
        methods=methods,
        headers=_strings(allowed.get("headers") or [], f"{where}.allowed.headers"),
        expose_headers=_strings(given.get("exposeHeaders") or [], f"{where}.exposeHeaders"),
        max_age_seconds=_seconds(given.get("maxAgeSeconds"), f"{where}.maxAgeSeconds"),
        id=given.get("id"),
    )


def _strings(given: Any, where: str) -> tuple[str, ...]:  # noqa: ANN401 -- JSON from outside, checked here
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise _invalid(f"{where} is no list of strings")
    return tuple(given)


def _seconds(given: Any, where: str) -> int | None:  # noqa: ANN401 -- JSON from outside, checked here
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or given != int(given) or not 0 <= given <= 86_400:
        raise _invalid(f"{where} is {given!r}; give 0 to 86400 seconds")
    return int(given)


def _public(rule: CorsRule) -> Json:
    allowed: Json = {"origins": list(rule.origins), "methods": list(rule.methods)}
    if rule.headers:
        allowed["headers"] = list(rule.headers)
    public: Json = {"allowed": allowed}
    if rule.id is not None:
        public["id"] = rule.id
    if rule.expose_headers:
        public["exposeHeaders"] = list(rule.expose_headers)
    if rule.max_age_seconds is not None:
        public["maxAgeSeconds"] = rule.max_age_seconds
    return public
