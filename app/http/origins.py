"""Which web pages may call the API: exact origins, and `https://*.name` for the previews of a site."""

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "content-type",
    "idempotency-key",
    "x-library-version",
    "x-profile-id",
    "x-session-id",
    "x-user-id",
)
EXPOSED_HEADERS = ("age", "location", "retry-after", "x-library-version", "x-request-id", "x-sync-status")
_PREFLIGHT_CACHE_S = 600


class Origins:
    def __init__(self, configured: Sequence[str]) -> None:
        self.exact = frozenset(origin for origin in configured if "*" not in origin)
        stars = [re.escape(origin).replace(r"\*", "[a-z0-9-]+") for origin in configured if "*" in origin]
        self.pattern = "|".join(stars) or None

    def allow(self, origin: str) -> bool:
        return origin in self.exact or bool(self.pattern and re.fullmatch(self.pattern, origin))


def cors(app: ASGIApp, origins: Origins) -> CORSMiddleware:
    """Without credentials: no cookie identifies anyone yet."""
    return CORSMiddleware(
        app,
        allow_origins=sorted(origins.exact),
        allow_origin_regex=origins.pattern,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=_PREFLIGHT_CACHE_S,
    )
