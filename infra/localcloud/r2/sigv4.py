"""AWS Signature Version 4: the canonical request and its signature. Pure; who may do what is decided elsewhere.

Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (and sigv4-query-string-auth.html).
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_UNRESERVED_PATH = re.compile(r"[A-Za-z0-9\-._~/]*")


class Scope(NamedTuple):
    """The part of a credential after the key id: yyyymmdd, region, service."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def canonical_request(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    payload_hash: str,
) -> str:
    """`path` and `query` are decoded; a signed header that is missing counts as empty."""
    names = list(signed_headers)
    lines = [
        method,
        path if _UNRESERVED_PATH.fullmatch(path) else quote(path, safe="/~"),
        _canonical_query(query) if query else "",
        *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
        "",
        ";".join(names),
        payload_hash,
    ]
    return "\n".join(lines)


def signature(secret: str, scope: Scope, timestamp: str, canonical: str) -> str:
    """The lower-case hex signature; `timestamp` is the request's x-amz-date."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}"
    return hmac.digest(_signing_key(secret, scope), to_sign.encode(), "sha256").hex()


def _canonical_query(query: Mapping[str, str]) -> str:
    encoded = [(quote(name, safe="~"), quote(value, safe="~")) for name, value in query.items()]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")


@lru_cache(maxsize=64)
def _signing_key(secret: str, scope: Scope) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (*scope, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key
