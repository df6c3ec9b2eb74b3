"""VERIFY_TOKEN: who shows it is `dev-<APP_ENV>` and nobody else; a wrong one is nobody anywhere."""

import logging

import pytest

from tests.app.backend import STAGING, running_backend
from tests.app.exports.test_progress_socket import close_code, served

TOKEN = "verify-0123456789abcdef0123456789abcdef"
RIGHT = {"Authorization": f"Bearer {TOKEN}"}
WRONG = (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", "Bearer \xe9")


@pytest.mark.parametrize("app_env", ["staging", "production", "preview-7"])
async def test_outside_development_the_token_is_one_user(app_env: str) -> None:
    async with running_backend(**{**STAGING, "APP_ENV": app_env, "VERIFY_TOKEN": TOKEN}) as backend:
        expected = {"user_id": f"dev-{app_env}", "profile_id": "default", "environment": app_env}
        assert await backend.client.get("/api/me", **RIGHT) == expected
        claims = {"X_User_ID": "a", "X_Profile_ID": "other"}
        assert await backend.client.get("/api/me", **RIGHT, **claims) == expected
        assert (await backend.client.get("/api/me", 401))["code"] == "unauthenticated"
        assert (await backend.client.get("/api/me", 401, **claims))["code"] == "unauthenticated"


async def test_in_development_it_works_beside_the_user_header() -> None:
    async with running_backend(VERIFY_TOKEN=TOKEN) as backend:
        assert (await backend.client.get("/api/me", **RIGHT, X_User_ID="a"))["user_id"] == "dev-development"
        assert (await backend.client.get("/api/me", X_User_ID="b"))["user_id"] == "b"


@pytest.mark.parametrize("shown", WRONG)
@pytest.mark.parametrize("path", ["/api/me", "/api/health", "/api/reels/x", "/nowhere"])
async def test_a_wrong_token_is_401_everywhere(shown: str, path: str) -> None:
    async with running_backend(VERIFY_TOKEN=TOKEN) as backend:
        answer = await backend.client.http.get(path, headers={b"Authorization": shown.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


async def test_two_tokens_are_one_too_many() -> None:
    async with running_backend(VERIFY_TOKEN=TOKEN) as backend:
        headers = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
        assert (await backend.client.http.get("/api/me", headers=headers)).status_code == 401


async def test_without_a_token_configured_none_is_right() -> None:
    async with running_backend() as backend:
        for shown in (f"Bearer {TOKEN}", "Bearer ", "Bearer"):
            await backend.client.get("/api/me", 401, Authorization=shown)


async def test_the_session_of_a_verifier_counts() -> None:
    async with running_backend(**STAGING, VERIFY_TOKEN=TOKEN) as backend:
        await backend.client.get("/api/me", 400, **RIGHT, X_Session_ID="system")
        assert (await backend.client.get("/api/media", **RIGHT, X_Session_ID="tab-1")) == {"items": []}


async def test_the_token_opens_a_socket_and_a_wrong_one_closes_it() -> None:
    async with running_backend(**STAGING, VERIFY_TOKEN=TOKEN) as backend, served(backend) as url:
        path = f"{url}/ws/export/exp_0"
        assert await close_code(path, additional_headers=RIGHT) == 4404
        assert await close_code(f"{path}?user=a", additional_headers=RIGHT) == 4404
        assert await close_code(path, additional_headers={"Authorization": "Bearer wrong"}) == 4401
        assert await close_code(path) == 4401
        assert await close_code(path, additional_headers=RIGHT, origin="https://evil.example") == 4403


async def test_what_the_verifier_makes_is_under_its_own_name() -> None:
    async with running_backend(**STAGING, VERIFY_TOKEN=TOKEN) as backend:
        new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": 3}
        await backend.client.post("/api/media", new, **RIGHT)
        keys = [key for key in backend.memory.objects.bodies if "/users/" in key]
    assert keys
    assert all(key.startswith("staging/users/dev-staging/profiles/default/") for key in keys)


async def test_the_token_is_in_no_log_and_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_backend(VERIFY_TOKEN=TOKEN) as backend:
        for shown in (f"Bearer {TOKEN}", f"Bearer {TOKEN}x", f"Basic {TOKEN}"):
            answer = await backend.client.http.get("/api/me", headers={"Authorization": shown})
            assert TOKEN not in answer.text + str(answer.headers)
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpcore"))
    assert "user=dev-development" in said
    assert TOKEN not in said
