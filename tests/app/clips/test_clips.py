from typing import Any

import pytest

from tests.app.backend import VIDEO, Backend


async def test_a_clip_has_revision_one_and_is_listed_in_playing_order(backend: Backend) -> None:
    late = await backend.clip(in_frame=200, out_frame=300, tags=["goal"], notes="What a goal")
    early = await backend.client.post("/api/clips", {**body(late), "in_frame": 0, "out_frame": 10})
    assert (late["revision"], late["tags"], late["notes"]) == (1, ["goal"], "What a goal")
    listed = await backend.client.get(f"/api/games/{late['game_id']}/clips")
    assert [clip["id"] for clip in listed["items"]] == [early["id"], late["id"]]
    assert await backend.client.get(f"/api/clips/{late['id']}") == late


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"in_frame": -1}, "in_frame"),
        ({"in_frame": 90}, "out_frame"),
        ({"in_frame": 91}, "out_frame"),
        ({"out_frame": 301}, "out_frame"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"notes": "x" * 281}, "notes"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": [""]}, "tags[0]"),
        ({"media_id": "med_0"}, "media_id"),
    ],
)
async def test_a_clip_must_fit(backend: Backend, changes: dict[str, Any], field: str) -> None:
    clip = await backend.clip()
    problem = await backend.client.post("/api/clips", {**body(clip), **changes}, 422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_the_whole_recording_may_be_a_clip(backend: Backend) -> None:
    clip = await backend.clip(in_frame=0, out_frame=300, notes="x" * 280)
    assert clip["out_frame"] == 300


async def test_a_recording_that_is_not_ready_has_no_clips(backend: Backend) -> None:
    new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}
    media = (await backend.client.post("/api/media", new))["media"]
    game = await backend.client.post(
        "/api/games", {"opponent": "R", "played_on": "2026-01-01", "venue": "home", "media_ids": [media["id"]]}
    )
    clip = {"game_id": game["id"], "media_id": media["id"], "in_frame": 0, "out_frame": 1, "rating": 1}
    assert (await backend.client.post("/api/clips", clip, 409))["code"] == "media_not_ready"


async def test_a_change_raises_the_revision_and_keeps_the_rest(backend: Backend) -> None:
    clip = await backend.clip(tags=["goal"])
    change = {"expected_revision": 1, "rating": 3, "notes": "better"}
    changed = await backend.client.call("PATCH", f"/api/clips/{clip['id']}", 200, change)
    expected = {**clip, "rating": 3, "notes": "better", "revision": 2, "updated_at": changed["updated_at"]}
    assert changed == expected


async def test_a_change_of_an_old_revision_is_a_conflict_with_the_current_one(backend: Backend) -> None:
    clip = await backend.clip()
    path = f"/api/clips/{clip['id']}"
    await backend.client.call("PATCH", path, 200, {"expected_revision": 1, "rating": 3})
    problem = await backend.client.call("PATCH", path, 409, {"expected_revision": 1, "rating": 4})
    assert (problem["code"], problem["current_revision"]) == ("stale_revision", 2)
    assert (await backend.client.get(path))["rating"] == 3


async def test_a_change_may_not_break_the_range(backend: Backend) -> None:
    clip = await backend.clip()
    problem = await backend.client.call(
        "PATCH", f"/api/clips/{clip['id']}", 422, {"expected_revision": 1, "out_frame": 30}
    )
    assert problem["code"] == "clip_range"


async def test_a_deleted_clip_is_gone(backend: Backend) -> None:
    clip = await backend.clip()
    await backend.client.call("DELETE", f"/api/clips/{clip['id']}", 204)
    await backend.client.get(f"/api/clips/{clip['id']}", 404)
    assert (await backend.client.call("DELETE", f"/api/clips/{clip['id']}", 404))["code"] == "clip_not_found"


async def test_a_clip_of_a_project_stays(backend: Backend) -> None:
    project = await backend.project()
    clip_id = project["clip_edits"][0]["clip_id"]
    assert (await backend.client.call("DELETE", f"/api/clips/{clip_id}", 409))["code"] == "clip_in_use"


async def test_the_clips_of_an_unknown_game_are_404(backend: Backend) -> None:
    assert (await backend.client.get("/api/games/gam_0/clips", 404))["code"] == "game_not_found"


async def test_another_session_that_changed_the_library_makes_this_one_stale(backend: Backend) -> None:
    clip = await backend.clip()
    response = await backend.client.http.get(f"/api/clips/{clip['id']}", headers={"x-session-id": "tab-1"})
    seen = response.headers["x-library-version"]
    path = f"/api/clips/{clip['id']}"
    await backend.client.call("PATCH", path, 200, {"expected_revision": 1, "rating": 1}, X_Session_ID="tab-2")
    response = await backend.client.http.patch(
        path,
        json={"expected_revision": 2, "rating": 2},
        headers={"x-session-id": "tab-1", "x-library-version": seen},
    )
    assert response.status_code == 409
    assert response.json()["code"] == "stale_session"
    assert response.json()["current_version"] == int(seen) + 1
    assert response.headers["x-sync-status"] == "stale"


def body(clip: dict[str, Any]) -> dict[str, Any]:
    """What would create the same clip."""
    return {name: clip[name] for name in ("game_id", "media_id", "in_frame", "out_frame", "rating")}
