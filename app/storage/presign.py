"""Presigned URLs by AWS Signature Version 4 in the query, path style, region `auto` as R2 wants it.

Source: AWS "Authenticating Requests: Using Query Parameters"; R2 accepts 1 s to 7 days. Pure but for the clock.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from app.kit.clock import now
from app.settings import R2Settings
from app.storage.port import PresignedUrl

REGION = "auto"
MAX_LIFETIME_S = 7 * 24 * 3600


class SigV4Presigner:
    """Presigner (`app.storage.port`) for one bucket."""

    def __init__(self, settings: R2Settings, clock: Callable[[], datetime] = now) -> None:
        self._settings = settings
        self._host = urlsplit(settings.endpoint).netloc
        self._clock = clock

    def get(self, key: str, *, lifetime_s: int, filename: str | None = None) -> PresignedUrl:
        query = {"response-content-disposition": attachment(filename)} if filename else {}
        return self._sign("GET", key, lifetime_s, query, {})

    def put(self, key: str, *, lifetime_s: int, content_type: str) -> PresignedUrl:
        return self._sign("PUT", key, lifetime_s, {}, {"content-type": content_type})

    def part(self, key: str, upload_id: str, part_number: int, *, lifetime_s: int) -> PresignedUrl:
        return self._sign("PUT", key, lifetime_s, {"partNumber": str(part_number), "uploadId": upload_id}, {})

    def _sign(
        self, method: str, key: str, lifetime_s: int, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> PresignedUrl:
        if not 1 <= lifetime_s <= MAX_LIFETIME_S:
            raise ValueError(f"a presigned URL lives 1..{MAX_LIFETIME_S} s, not {lifetime_s}")
        moment = self._clock()
        stamp = moment.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        signed_headers = dict(sorted({"host": self._host, **headers}.items()))
        parameters = {
            **query,
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self._settings.access_key_id}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(lifetime_s),
            "X-Amz-SignedHeaders": ";".join(signed_headers),
        }
        path = f"/{quote(self._settings.bucket)}/{quote(key)}"
        canonical_query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(parameters.items()))
        canonical_headers = "".join(f"{name}:{value}\n" for name, value in signed_headers.items())
        request = "\n".join(
            (method, path, canonical_query, canonical_headers, ";".join(signed_headers), "UNSIGNED-PAYLOAD")
        )
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = _hmac(self._signing_key(stamp[:8]), to_sign).hex()
        url = f"{self._settings.endpoint}{path}?{canonical_query}&X-Amz-Signature={signature}"
        return PresignedUrl(url, moment + timedelta(seconds=lifetime_s))

    def _signing_key(self, day: str) -> bytes:
        key = f"AWS4{self._settings.secret_access_key.get_secret_value()}".encode()
        for part in (day, REGION, "s3", "aws4_request"):
            key = _hmac(key, part)
        return key


def attachment(filename: str) -> str:
    """A Content-Disposition that saves under `filename`: an ASCII form and the true one (RFC 6266, RFC 8187)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{_encode(filename)}"


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
