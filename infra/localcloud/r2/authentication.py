"""Who signed a request: SigV4 in the Authorization header or in a presigned query, checked as R2 does.

Every x-amz-* header must be signed, as AWS demands: an unsigned one could turn a presigned PUT into a copy.
Errors and their order follow R2 as Cloudflare's own simulator documents them (workers-sdk, miniflare `r2/s3/auth`).
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from infra.localcloud.r2 import errors, sigv4
from infra.localcloud.r2.http import Request

MAX_SKEW_SECONDS = 15 * 60
MAX_EXPIRES_SECONDS = 7 * 24 * 3600
PRESIGNED_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
REGIONS = frozenset({"auto", "us-east-1", ""})
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<credential>[^,\s]+) *, *SignedHeaders=(?P<headers>[^,\s]+) *, *"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
_PRESIGNED_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")


@dataclass(frozen=True)
class Signer:
    """The key that signed, and the hex SHA-256 that its body must have (None: the body is not signed)."""

    access_key_id: str
    body_sha256: str | None


@dataclass(frozen=True)
class _Claim:
    """What a request says about its own signature."""

    access_key_id: str
    scope: sigv4.Scope
    timestamp: str
    signed_headers: list[str]
    payload_hash: str
    signature: str


def authenticate(request: Request, secret_of: Callable[[str], str | None], now: float) -> Signer:
    """`now` in Unix seconds; raises the S3Error that R2 would answer."""
    if authorization := request.headers.get("authorization"):
        claim = _from_header(request, authorization, now)
    elif "X-Amz-Credential" in request.query:
        claim = _from_query(request, now)
    else:
        raise errors.InvalidArgument("Authorization")
    secret = secret_of(claim.access_key_id)
    if secret is None:
        raise errors.Unauthorized
    _check_signature(request, claim, secret)
    _check_all_signed(request, claim.signed_headers)
    return Signer(claim.access_key_id, claim.payload_hash if _SHA256.fullmatch(claim.payload_hash) else None)


def _from_header(request: Request, authorization: str, now: float) -> _Claim:
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise errors.InvalidRequest(f"Please use {sigv4.ALGORITHM}")
    payload_hash = request.headers.get("x-amz-content-sha256")
    if payload_hash is None:
        raise errors.InvalidRequest("Missing x-amz-content-sha256")
    if payload_hash.startswith("STREAMING-"):
        raise errors.NotImplemented(f"{payload_hash} not implemented")
    if payload_hash != sigv4.UNSIGNED_PAYLOAD and not _SHA256.fullmatch(payload_hash):
        raise errors.InvalidArgument(f"x-amz-content-sha256 must be {sigv4.UNSIGNED_PAYLOAD} or a hex SHA-256")
    timestamp = request.headers.get("x-amz-date", "")
    if abs(now - _seconds(timestamp, "'x-amz-date' header")) > MAX_SKEW_SECONDS:
        raise errors.RequestTimeTooSkewed
    access_key_id, scope = _credential(match["credential"], timestamp)
    return _Claim(access_key_id, scope, timestamp, _names(match["headers"]), payload_hash, match["signature"])


def _from_query(request: Request, now: float) -> _Claim:
    query = request.query
    if missing := [name for name in _PRESIGNED_PARAMETERS if name not in query]:
        raise errors.InvalidArgument(f"Required search parameters {', '.join(missing)} missing")
    if query["X-Amz-Algorithm"] != sigv4.ALGORITHM:
        raise errors.InvalidRequest(f"Please use {sigv4.ALGORITHM}")
    if "X-Amz-Security-Token" in query:
        raise errors.InvalidArgument("X-Amz-Security-Token")
    if request.method not in PRESIGNED_METHODS:
        raise errors.NotImplemented(f"Presigned {request.method} not implemented")
    timestamp = query["X-Amz-Date"]
    _check_validity(_seconds(timestamp, "X-Amz-Date"), query["X-Amz-Expires"], now)
    access_key_id, scope = _credential(query["X-Amz-Credential"], timestamp)
    headers = _names(query["X-Amz-SignedHeaders"])
    return _Claim(access_key_id, scope, timestamp, headers, sigv4.UNSIGNED_PAYLOAD, query["X-Amz-Signature"])


def _check_validity(signed_at: float, expires: str, now: float) -> None:
    if not re.fullmatch(r"\d{1,9}", expires, re.ASCII):
        raise errors.InvalidArgument("X-Amz-Expires should be a number")
    if not 1 <= int(expires) <= MAX_EXPIRES_SECONDS:
        raise errors.InvalidArgument(f"X-Amz-Expires must be 1 to {MAX_EXPIRES_SECONDS} seconds, not {expires}")
    if signed_at - now > MAX_SKEW_SECONDS:
        raise errors.AccessDenied("Request is not valid yet")
    if now > signed_at + int(expires):
        raise errors.ExpiredRequest


@lru_cache(maxsize=256)
def _seconds(timestamp: str, where: str) -> float:
    try:
        if not _TIMESTAMP.fullmatch(timestamp):
            raise ValueError("not in basic ISO 8601")
        return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise errors.InvalidArgument(f"Date provided in {where} ({timestamp}) didn't parse: {error}") from error


def _credential(text: str, timestamp: str) -> tuple[str, sigv4.Scope]:
    parts = text.rsplit("/", 4)
    if len(parts) != 5:
        raise errors.InvalidArgument(f"Credential should have 5 slash-separated parts, not {len(parts)}")
    access_key_id, date, region, service, terminator = parts
    if (service, terminator) != ("s3", "aws4_request"):
        raise errors.InvalidArgument(f"Credential should end in s3/aws4_request, not {service}/{terminator}")
    if date != timestamp[:8]:
        raise errors.InvalidArgument(f"Credential signed date {date} does not match {timestamp[:8]} of the request")
    if region not in REGIONS:
        raise errors.InvalidRegionName(f"The region name '{region}' is not valid; use auto")
    return access_key_id, sigv4.Scope(date, region, service)


def _names(signed_headers: str) -> list[str]:
    names = signed_headers.lower().split(";")
    if "host" not in names:
        raise errors.Unauthorized
    return names


def _check_signature(request: Request, claim: _Claim, secret: str) -> None:
    canonical = sigv4.canonical_request(
        request.method, request.path, request.query, request.headers, claim.signed_headers, claim.payload_hash
    )
    expected = sigv4.signature(secret, claim.scope, claim.timestamp, canonical)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise errors.SignatureDoesNotMatch


def _check_all_signed(request: Request, signed_headers: list[str]) -> None:
    if unsigned := [name for name in request.headers if name.startswith("x-amz-") and name not in signed_headers]:
        raise errors.AccessDenied(f"Headers present in the request were not signed: {', '.join(unsigned)}")
