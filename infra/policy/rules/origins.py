"""Who may call from a browser, and whose word the backend takes for an identity."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from infra.policy.model import Context, PlannedResource, ResourceRule
from infra.policy.steps import fly_environment, is_step, step_inputs
from infra.policy.values import Value, known, unsecret

OWN_PREVIEWS: Final = re.compile(r"^https://\*(\.[a-z0-9-]+){3,}$")
"""Every deployment of one Pages project; `*.pages.dev` would be everybody's."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def _bucket_origins(resource: PlannedResource, context: Context) -> Iterator[str]:
    if resource.kind != "R2BucketCors" or context.is_local:
        return
    rules = unsecret(known(resource.inputs.get("rules"), "rules"))
    for at, rule in enumerate(rules if isinstance(rules, list) else []):
        allowed = rule.get("allowed") if isinstance(rule, dict) else None
        origins = allowed.get("origins") if isinstance(allowed, dict) else allowed
        where = f"rules[{at}].allowed.origins"
        known(origins, where)
        for origin in origins if isinstance(origins, list) else []:
            yield from _objections(known(origin, where), where)


def _backend_origins(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_step(resource, "fly deploy") or context.is_local:
        return
    environment = fly_environment(resource, context)
    for origin in str(environment.get("CORS_ORIGINS", "")).split(","):
        if context.is_production or not OWN_PREVIEWS.match(origin.strip()):
            yield from _objections(origin.strip(), "CORS_ORIGINS")


def _objections(origin: Value, where: str) -> Iterator[str]:
    if not isinstance(origin, str) or not origin:
        return
    if "*" in origin:
        yield f"{where} allows {origin!r}: every page could call with a user's rights"
    elif not origin.startswith("https://"):
        yield f"{where} allows {origin!r}: a page that came in plain http can be changed on its way"


def _development_stays_here(resource: PlannedResource, context: Context) -> Iterator[str]:
    if not is_step(resource, "fly deploy"):
        return
    environment = fly_environment(resource, context)
    host = urlsplit(str(unsecret(step_inputs(resource, context).get("fly_url")) or "")).hostname
    if environment.get("APP_ENV") == "development" and host not in LOOPBACK:
        yield "APP_ENV is development and the backend is not on this machine: it trusts the caller's X-User-ID"


RULES = (
    ResourceRule(
        name="bucket-origins-are-https",
        description="Outside of the local stack the bucket answers pages of named https origins only.",
        remedy="name the origins: reel:bucketOrigins and the stack's own app address",
        check=_bucket_origins,
    ),
    ResourceRule(
        name="backend-origins-are-https",
        description="Outside of the local stack the backend answers pages of named https origins only, and of the own "
        "site's previews outside of production.",
        remedy="leave CORS_ORIGINS to the program: it follows from the stack's addresses",
        check=_backend_origins,
    ),
    ResourceRule(
        name="development-stays-here",
        description="A backend that trusts every caller runs on this machine only.",
        remedy="give the stack another reel:environment, or a loopback reel:flyUrl",
        check=_development_stays_here,
    ),
)
