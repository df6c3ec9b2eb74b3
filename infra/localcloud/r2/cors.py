"""CORS: which headers a browser gets, decided by the first rule that fits; none when no rule does."""

import re
from collections.abc import Mapping, Sequence

from infra.localcloud.r2.protocol import CorsRule


def answer_headers(rules: Sequence[CorsRule], origin: str, method: str) -> dict[str, str]:
    """For the answer to an actual request, whatever its status."""
    for rule in rules:
        allowed = _allowed_origin(rule, origin)
        if allowed and method in rule.methods:
            return _common(rule, allowed)
    return {}


def preflight_headers(rules: Sequence[CorsRule], request_headers: Mapping[str, str]) -> dict[str, str]:
    """For OPTIONS; empty means that the browser must not go on."""
    origin = request_headers.get("origin", "")
    method = request_headers.get("access-control-request-method", "")
    asked = [name.strip().lower() for name in request_headers.get("access-control-request-headers", "").split(",")]
    asked = [name for name in asked if name]
    for rule in rules:
        allowed = _allowed_origin(rule, origin)
        if allowed and method in rule.methods and _allows_headers(rule, asked):
            headers = _common(rule, allowed)
            headers["access-control-allow-methods"] = ", ".join(rule.methods)
            if asked:
                headers["access-control-allow-headers"] = ", ".join(asked)
            if rule.max_age_seconds is not None:
                headers["access-control-max-age"] = str(rule.max_age_seconds)
            return headers
    return {}


def _common(rule: CorsRule, allowed_origin: str) -> dict[str, str]:
    headers = {"access-control-allow-origin": allowed_origin, "vary": "Origin"}
    if rule.expose_headers:
        headers["access-control-expose-headers"] = ", ".join(rule.expose_headers)
    return headers


def _allowed_origin(rule: CorsRule, origin: str) -> str | None:
    if not origin:
        return None
    for pattern in rule.origins:
        if pattern == "*":
            return "*"
        if pattern == origin or ("*" in pattern and _fits(pattern, origin)):
            return origin
    return None


def _allows_headers(rule: CorsRule, asked: Sequence[str]) -> bool:
    allowed = [pattern.lower() for pattern in rule.headers]
    return all(any(pattern == name or _fits(pattern, name) for pattern in allowed) for name in asked)


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
