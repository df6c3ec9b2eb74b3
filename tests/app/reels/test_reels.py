from typing import Any

import pytest

from app.reels.service import download_name
from tests.app.backend import Backend


async def finished(backend: Backend, project: dict[str, Any]) -> dict[str, Any]:
    export = await backend.export(project["id"])
    done = await backend.export_becomes(export["id"], "complete")
    reel: dict[str, Any] = await backend.client.get(f"/api/reels/{done['reel_id']}")
    return reel


async def current(backend: Backend) -> dict[int, bool]:
    """By version."""
    listed = await backend.client.get("/api/reels")
    return {reel["version"]: reel["current"] for reel in listed["items"]}


async def move_crop(backend: Backend, project: dict[str, Any], x: float) -> dict[str, Any]:
    edit_id = project["clip_edits"][0]["id"]
    path = f"/api/projects/{project['id']}/clip-edits/{edit_id}/crop-keyframes/0"
    body = {"expected_revision": project["revision"], "x": x, "y": 0, "width": 607.5, "height": 1080}
    changed: dict[str, Any] = await backend.client.call("PUT", path, 200, body)
    return changed


async def test_versions_count_up_and_only_the_newest_is_current(backend: Backend) -> None:
    project = await backend.project()
    first, second = await finished(backend, project), await finished(backend, project)
    assert (first["version"], second["version"]) == (1, 2)
    assert await current(backend) == {1: False, 2: True}


async def test_an_edit_makes_reels_outdated_and_undoing_it_current_again(backend: Backend) -> None:
    project = await move_crop(backend, await backend.project(), 100)
    await finished(backend, project)
    assert await current(backend) == {1: True}
    project = await move_crop(backend, project, 200)
    assert await current(backend) == {1: False}
    await move_crop(backend, project, 100)
    assert await current(backend) == {1: True}


async def test_an_older_reel_keeps_its_own_object(backend: Backend) -> None:
    project = await backend.project()
    urls = []
    for _ in range(2):
        reel = await finished(backend, project)
        urls.append((await backend.client.get(f"/api/reels/{reel['id']}/download"))["url"])
    assert urls[0] != urls[1]
    outputs = [request.output_url for request in backend.renderer.started]
    assert len(set(outputs)) == 2


async def test_a_reel_of_a_deleted_clip_stays_but_is_not_current(backend: Backend) -> None:
    clip = await backend.clip()
    export = await backend.client.post("/api/exports", {"kind": "extract", "clip_id": clip["id"]}, 202)
    done = await backend.export_becomes(export["id"], "complete")
    await backend.client.call("DELETE", f"/api/clips/{clip['id']}", 204)
    reel = await backend.client.get(f"/api/reels/{done['reel_id']}")
    assert reel["current"] is False


async def test_versions_of_different_projects_are_apart(backend: Backend) -> None:
    reels = [await finished(backend, await backend.project()) for _ in range(2)]
    assert [reel["version"] for reel in reels] == [1, 1]


async def test_a_download_has_a_name_and_an_end(backend: Backend) -> None:
    reel = await finished(backend, await backend.project())
    download = await backend.client.get(f"/api/reels/{reel['id']}/download")
    assert download["filename"] == "Goal of the day-v1.mp4"
    assert "filename=Goal of the day-v1.mp4" in download["url"]
    assert download["expires_at"].endswith("Z")


async def test_unknown_and_foreign_reels_are_404(backend: Backend) -> None:
    reel = await finished(backend, await backend.project())
    for path in ("/api/reels/rel_0", "/api/reels/rel_0/download"):
        assert (await backend.client.get(path, 404))["code"] == "reel_not_found"
    await backend.client.get(f"/api/reels/{reel['id']}", 404, X_User_ID="b")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Goal", "Goal-v1.mp4"),
        ("U12 / Rovers: 3-2?", "U12 - Rovers- 3-2--v1.mp4"),
        ("..", "reel-v1.mp4"),
        ("Tor für A", "Tor für A-v1.mp4"),
        ("x" * 200, "x" * 100 + "-v1.mp4"),
    ],
)
def test_file_names_suit_every_file_system(title: str, name: str) -> None:
    assert download_name(title, 1) == name
