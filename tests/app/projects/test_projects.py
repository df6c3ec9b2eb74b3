from typing import Any

import pytest

from tests.app.backend import Backend

CROP = {"x": 0, "y": 0, "width": 607.5, "height": 1080}


def crop_path(project: dict[str, Any], frame: int) -> str:
    return f"/api/projects/{project['id']}/clip-edits/{project['clip_edits'][0]['id']}/crop-keyframes/{frame}"


async def put(backend: Backend, project: dict[str, Any], frame: int, status: int = 200, **changes: Any) -> Any:
    body = {**CROP, "expected_revision": project["revision"], **changes}
    return await backend.client.call("PUT", crop_path(project, frame), status, body)


async def test_a_project_pins_its_clip(backend: Backend) -> None:
    project = await backend.project()
    edit = project["clip_edits"][0]
    assert (project["revision"], edit["clip_revision"], edit["crop_keyframes"]) == (1, 1, [])
    path = f"/api/clips/{edit['clip_id']}"
    await backend.client.call("PATCH", path, 200, {"expected_revision": 1, "in_frame": 40})
    assert await backend.client.get(f"/api/projects/{project['id']}") == project
    assert edit["in_frame"] == 30


@pytest.mark.parametrize("clip_ids", [[], ["a", "b"]])
async def test_a_project_has_one_clip_for_now(backend: Backend, clip_ids: list[str]) -> None:
    body = {"name": "x", "aspect_ratio": "9:16", "clip_ids": clip_ids}
    problem = await backend.client.post("/api/projects", body, 422)
    assert [error["field"] for error in problem["errors"]] == ["clip_ids"]


async def test_a_project_of_an_unknown_clip_or_shape_is_refused(backend: Backend) -> None:
    body = {"name": "x", "aspect_ratio": "9:16", "clip_ids": ["clp_0"]}
    assert (await backend.client.post("/api/projects", body, 404))["code"] == "clip_not_found"
    await backend.client.post("/api/projects", {**body, "aspect_ratio": "3:2"}, 422)


async def test_keyframes_are_kept_in_order_and_replaced_in_place(backend: Backend) -> None:
    project = await backend.project()
    project = await put(backend, project, 30, x=100)
    project = await put(backend, project, 0)
    project = await put(backend, project, 30, x=200, easing="linear")
    assert project["revision"] == 4
    keyframes = project["clip_edits"][0]["crop_keyframes"]
    assert [(k["frame"], k["x"], k["easing"]) for k in keyframes] == [(0, 0, "smooth"), (30, 200, "linear")]
    assert (await backend.client.get("/api/projects"))["items"] == [project]


async def test_an_edit_of_an_old_revision_changes_nothing(backend: Backend) -> None:
    project = await backend.project()
    await put(backend, project, 0)
    problem = await put(backend, project, 5, 409)
    assert (problem["code"], problem["current_revision"]) == ("stale_revision", 2)
    again = await backend.client.get(f"/api/projects/{project['id']}")
    assert [k["frame"] for k in again["clip_edits"][0]["crop_keyframes"]] == [0]


async def test_a_crop_that_does_not_fit_is_refused(backend: Backend) -> None:
    project = await backend.project()
    for changes, frame, field in (({"x": 1400}, 0, "x"), ({}, 60, "frame"), ({"width": 1080}, 0, "width")):
        problem = await put(backend, project, frame, 422, **changes)
        assert problem["code"] == "crop_invalid"
        assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_keyframe_is_deleted_with_the_revision_it_was_seen_at(backend: Backend) -> None:
    project = await put(backend, await backend.project(), 0)
    await backend.client.call("DELETE", f"{crop_path(project, 0)}?expected_revision=1", 409)
    left = await backend.client.call("DELETE", f"{crop_path(project, 0)}?expected_revision=2", 200)
    assert (left["revision"], left["clip_edits"][0]["crop_keyframes"]) == (3, [])
    problem = await backend.client.call("DELETE", f"{crop_path(project, 0)}?expected_revision=3", 404)
    assert problem["code"] == "crop_keyframe_not_found"
    await backend.client.call("DELETE", crop_path(project, 0), 422)


async def test_unknown_projects_and_edits_are_404(backend: Backend) -> None:
    project = await backend.project()
    assert (await backend.client.get("/api/projects/prj_0", 404))["code"] == "project_not_found"
    foreign = {**project, "clip_edits": [{"id": "edt_0"}]}
    assert (await put(backend, foreign, 0, 404))["code"] == "clip_edit_not_found"
