import logging
from collections.abc import AsyncIterator

import pytest

from app.http import library_context, request_log
from app.http.body_limit import MAX_BODY_BYTES
from app.http.origins import Origins
from tests.app.backend import Backend, running_backend

JSON = {"content-type": "application/json"}
PAGE = "http://localhost:5173"


async def test_order_is_cors_log_limit_user_library(backend: Backend) -> None:
    names = [getattr(middleware.cls, "__name__", "") for middleware in backend.app.user_middleware]
    assert names == ["StartupMessage", "cors", "RequestLog", "BodyLimit", "UserContext", "LibraryContext"]


async def test_preflight_allows_the_headers_that_the_page_sends(backend: Backend) -> None:
    response = await backend.client.http.options(
        "/api/games",
        headers={
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,idempotency-key,x-library-version,x-session-id,x-user-id",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-credentials" not in response.headers


async def test_the_page_may_read_what_the_library_says(backend: Backend) -> None:
    response = await backend.client.http.get("/api/games", headers={"origin": PAGE})
    exposed = response.headers["access-control-expose-headers"].split(", ")
    assert {"x-sync-status", "x-library-version", "location"} <= set(exposed)
    assert response.headers["x-sync-status"] == "synced"
    assert response.headers["x-library-version"] == "0"


async def test_other_pages_get_no_permission_even_for_errors(backend: Backend) -> None:
    response = await backend.client.http.get("/api/me", headers={"origin": "https://evil.example", "x-user-id": "/"})
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers
    response = await backend.client.http.get("/api/me", headers={"origin": PAGE, "x-user-id": "/"})
    assert response.headers["access-control-allow-origin"] == PAGE


def test_a_star_stands_for_one_label() -> None:
    origins = Origins(["https://*.site.pages.dev", "https://app.example.com"])
    assert origins.allow("https://ab12.site.pages.dev")
    assert origins.allow("https://app.example.com")
    for foreign in (
        "https://a.b.site.pages.dev",
        "https://siteXpages.dev",
        "https://site.pages.dev",
        "http://ab.site.pages.dev",
    ):
        assert not origins.allow(foreign)


async def test_large_bodies_are_413_by_length_and_by_reading(backend: Backend) -> None:
    large = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'
    declared = await backend.client.http.post("/api/games", content=large, headers=JSON)

    async def chunks() -> AsyncIterator[bytes]:
        yield large[:1000]
        yield large[1000:]

    streamed = await backend.client.http.post(
        "/api/games", content=chunks(), headers={"content-type": "application/json"}
    )
    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["code"] == "payload_too_large"
        assert "x-request-id" in response.headers


async def test_slow_requests_and_syncs_are_warned_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "_SLOW_S", 0.0)
    monkeypatch.setattr(library_context, "_SLOW_SYNC_S", 0.0)
    async with running_backend() as backend:
        with caplog.at_level(logging.INFO, "app.request"):
            await backend.client.get("/api/games?private=1", X_User_ID="b")
    text = caplog.text
    assert "[SLOW REQUEST] GET /api/games - total" in text
    assert "(sync: " in text
    assert "[SLOW DB SYNC] GET /api/games - sync took" in text
    assert "GET /api/games 200" in text
    assert "user=b" in text
    assert "private" not in text


async def test_metrics_count_requests_and_name_no_user(backend: Backend) -> None:
    await backend.client.get("/api/health")
    response = await backend.client.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'http_requests_total{method="GET",status="200"}' in response.text
    for metric in ("library_commits_total", "exports_total", "jobs_running", "websockets_open"):
        assert f"# TYPE {metric}" in response.text
