"""CORS as a browser meets it: preflights, actual requests, and foreign origins that get nothing."""

import httpx
import pytest

from infra.localcloud.r2 import R2, CorsRule
from tests.infra.localcloud.r2.running import Account
from tests.infra.localcloud.r2.signing import http, presigned, send, signed, url_of

APP = "http://127.0.0.1:5173"
RULE = CorsRule(
    origins=(APP, "https://*.pages.dev"),
    methods=("GET", "PUT"),
    headers=("Content-Type", "x-amz-meta-*"),
    expose_headers=("ETag", "Content-Range"),
    max_age_seconds=600,
    id="app",
)


@pytest.fixture
def bucket(server: R2, account: Account) -> Account:
    server.control.set_cors(account.bucket, [RULE])
    return account


def preflight(account: Account, origin: str, method: str = "PUT", headers: str = "") -> httpx.Response:
    asked = {"origin": origin, "access-control-request-method": method}
    if headers:
        asked["access-control-request-headers"] = headers
    return http.options(url_of(account, "clip"), headers=asked)


def cors_headers(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def test_a_preflight_of_the_app_is_allowed(bucket: Account) -> None:
    response = preflight(bucket, APP, headers="content-type, X-Amz-Meta-Frames")
    assert response.status_code == 204
    assert cors_headers(response) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, x-amz-meta-frames",
        "access-control-expose-headers": "ETag, Content-Range",
        "access-control-max-age": "600",
    }
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.example", "PUT", ""),
        (APP, "DELETE", ""),
        (APP, "PUT", "authorization"),
        ("https://pages.dev.evil.example", "PUT", ""),
        ("null", "PUT", ""),
    ],
)
def test_any_other_preflight_is_refused(bucket: Account, origin: str, method: str, headers: str) -> None:
    response = preflight(bucket, origin, method, headers)
    assert response.status_code == 403
    assert cors_headers(response) == {}


def test_a_star_in_an_origin_fits_previews(bucket: Account) -> None:
    origin = "https://abc123.reel-ballers.pages.dev"
    assert cors_headers(preflight(bucket, origin))["access-control-allow-origin"] == origin


def test_actual_requests_and_their_errors_are_readable(bucket: Account) -> None:
    put = http.put(presigned(bucket, "PUT", "clip"), content=b"x", headers={"origin": APP})
    assert put.headers["access-control-expose-headers"] == "ETag, Content-Range"
    got = http.get(presigned(bucket, "GET", "clip"), headers={"origin": APP, "range": "bytes=0-0"})
    assert (got.status_code, got.headers["access-control-allow-origin"]) == (206, APP)
    missing = http.get(presigned(bucket, "GET", "missing"), headers={"origin": APP})
    assert (missing.status_code, missing.headers["access-control-allow-origin"]) == (404, APP)
    forbidden = http.get(url_of(bucket, "clip"), headers={"origin": APP})
    assert (forbidden.status_code, forbidden.headers["access-control-allow-origin"]) == (400, APP)


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {}])
def test_a_foreign_origin_or_none_gets_no_headers(bucket: Account, headers: dict[str, str]) -> None:
    response = http.put(presigned(bucket, "PUT", "clip"), content=b"x", headers=headers)
    assert response.status_code == 200
    assert cors_headers(response) == {}


def test_a_method_outside_of_the_rule_gets_no_headers(bucket: Account) -> None:
    response = http.delete(presigned(bucket, "DELETE", "clip"), headers={"origin": APP})
    assert (response.status_code, cors_headers(response)) == (204, {})


def test_any_origin_and_header_may_be_allowed(server: R2, account: Account) -> None:
    server.control.set_cors(account.bucket, [CorsRule(origins=("*",), methods=("GET",), headers=("*",))])
    response = preflight(account, "https://anyone.example", "GET", "x-whatever")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == "x-whatever"


def test_a_bucket_without_rules_and_a_missing_bucket_allow_nothing(server: R2, bucket: Account) -> None:
    server.control.set_cors(bucket.bucket, None)
    assert preflight(bucket, APP).status_code == 403
    assert preflight(Account(bucket.url, "missing", "key"), APP).status_code == 403
    response = send(signed(bucket, "GET", "clip", headers={"origin": APP}))
    assert cors_headers(response) == {}
