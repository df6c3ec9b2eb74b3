import pytest

from tests.app.backend import STAGING, Backend, running_backend

GAME = {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "home", "media_ids": ["x"]}


async def test_in_development_the_caller_says_who_it_is(backend: Backend) -> None:
    assert await backend.client.get("/api/me") == {
        "user_id": "a",
        "profile_id": "default",
        "environment": "development",
    }
    me = await backend.client.get("/api/me", X_User_ID="dev-1", X_Profile_ID="u12")
    assert (me["user_id"], me["profile_id"]) == ("dev-1", "u12")


@pytest.mark.parametrize("header", ["X-User-ID", "X-Profile-ID"])
async def test_a_name_that_could_leave_its_prefix_is_400(backend: Backend, header: str) -> None:
    problem = await backend.client.get("/api/me", 400, **{header: "../b"})
    assert problem["code"] == "bad_request"


async def test_nobody_may_be_the_system(backend: Backend) -> None:
    assert (await backend.client.get("/api/me", 400, X_Session_ID="system"))["code"] == "bad_request"


@pytest.mark.parametrize("app_env", ["staging", "production"])
async def test_elsewhere_a_header_makes_nobody_a_user(app_env: str) -> None:
    async with running_backend(**{**STAGING, "APP_ENV": app_env}) as backend:
        for method, path, body in (
            ("GET", "/api/me", None),
            ("GET", "/api/media", None),
            ("POST", "/api/games", GAME),
            ("POST", "/api/exports", {"kind": "framing", "project_id": "x"}),
        ):
            problem = await backend.client.call(method, path, 401, body, X_User_ID="a")
            assert problem["code"] == "unauthenticated"
        assert (await backend.client.get("/api/health"))["environment"] == app_env


async def test_users_and_profiles_do_not_see_each_other(backend: Backend) -> None:
    media = await backend.uploaded()
    for other in ({"X_User_ID": "b"}, {"X_Profile_ID": "second"}):
        assert await backend.client.get("/api/media", **other) == {"items": []}
        await backend.client.get(f"/api/media/{media['id']}", 404, **other)
        await backend.client.get(f"/api/media/{media['id']}/url", 404, **other)
