import asyncio
from typing import Any

import pytest

from app.jobs.renderer import OnProgress
from app.kit.metrics import EXPORTS
from gpu.contract import MediaError, RenderResponse
from tests.app.backend import Backend
from tests.app.scripted_renderer import OUTPUT, result
from tests.app.waiting import until_true


async def under_way(backend: Backend) -> dict[str, Any]:
    """An export whose first call the renderer works on."""
    backend.renderer.automatic = False
    export = await backend.export((await backend.project())["id"])
    await until_true(lambda: backend.renderer.waited_for("call-1"))
    return await backend.export_becomes(export["id"], "running")


async def test_a_new_export_is_accepted_as_pending(backend: Backend) -> None:
    backend.renderer.automatic = False
    project = await backend.project()
    response = await backend.client.http.post("/api/exports", json={"kind": "framing", "project_id": project["id"]})
    assert response.status_code == 202
    export = response.json()
    assert response.headers["location"] == f"/api/exports/{export['id']}"
    assert (export["status"], export["phase"], export["attempt"]) == ("pending", "queued", 1)
    assert (export["frames_done"], export["frames_total"], export["progress_percent"]) == (0, 60, 0)
    assert (export["reel_id"], export["error"]) == (None, None)


async def test_the_renderer_gets_the_recipe_and_addresses_but_no_credential(backend: Backend) -> None:
    project = await backend.project("4:5")
    export = await backend.export(project["id"])
    await backend.export_becomes(export["id"], "complete")
    (request,) = backend.renderer.started
    (clip,) = request.spec.clips
    assert (request.kind, clip.in_frame, clip.out_frame) == ("framing", 30, 90)
    assert request.spec.size is not None
    assert (request.spec.size.width, request.spec.size.height) == (1080, 1350)
    (centred,) = clip.crop_keyframes
    assert (centred.x, centred.width, centred.height) == (528, 864, 1080)
    assert request.progress_key == f"{export['id']}-1"
    assert request.output_url.startswith("memory://put/development/users/a/profiles/default/renders/")
    assert request.output_url.endswith(f"/{export['id']}.mp4")


async def test_progress_is_live_and_never_falls_back(backend: Backend) -> None:
    export = await under_way(backend)
    seen = []
    for done in (10, 30, 20, 60):
        backend.renderer.report("call-1", done)
        job = await backend.client.get(f"/api/exports/{export['id']}")
        seen.append((job["phase"], job["frames_done"], job["progress_percent"]))
    assert seen == [("rendering", 10, 16), ("rendering", 30, 50), ("rendering", 30, 50), ("rendering", 60, 99)]


async def test_progress_costs_no_commits(backend: Backend) -> None:
    await under_way(backend)
    records = len(backend.memory.objects.bodies)
    for done in range(60):
        backend.renderer.report("call-1", done)
    assert len(backend.memory.objects.bodies) == records


async def test_complete_means_that_the_reel_is_there(backend: Backend) -> None:
    before = EXPORTS.value("framing", "complete")
    export = await under_way(backend)
    backend.renderer.finish("call-1")
    done = await backend.export_becomes(export["id"], "complete")
    assert (done["progress_percent"], done["frames_done"], done["error"]) == (100, 60, None)
    reel = await backend.client.get(f"/api/reels/{done['reel_id']}")
    assert (reel["export_id"], reel["size_bytes"], reel["frame_count"]) == (export["id"], len(OUTPUT), 60)
    assert EXPORTS.value("framing", "complete") == before + 1
    assert [key for key in backend.memory.objects.bodies if "/jobs/pending/" in key] == []


async def test_a_clip_is_extracted_as_it_is(backend: Backend) -> None:
    clip = await backend.clip()
    export = await backend.client.post("/api/exports", {"kind": "extract", "clip_id": clip["id"]}, 202)
    done = await backend.export_becomes(export["id"], "complete")
    (request,) = backend.renderer.started
    assert (request.kind, request.spec.size, request.spec.clips[0].crop_keyframes) == ("extract", None, ())
    reel = await backend.client.get(f"/api/reels/{done['reel_id']}")
    assert (reel["project_id"], reel["current"]) == (None, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "framing", "project_id": "prj_0"}, 404, "project_not_found"),
        ({"kind": "extract", "clip_id": "clp_0"}, 404, "clip_not_found"),
        ({"kind": "overlay", "project_id": "prj_0"}, 422, "validation_failed"),
        ({"kind": "framing", "clip_id": "clp_0"}, 422, "validation_failed"),
        ({}, 422, "validation_failed"),
    ],
)
async def test_a_refused_export_leaves_no_job(backend: Backend, body: dict[str, str], status: int, code: str) -> None:
    assert (await backend.client.post("/api/exports", body, status))["code"] == code
    assert (await backend.client.get("/api/exports"))["items"] == []
    assert backend.memory.objects.bodies == {}


async def test_a_failure_is_told_with_its_reason_and_can_be_retried(backend: Backend) -> None:
    export = await under_way(backend)
    backend.renderer.report("call-1", 20)
    reason = MediaError(code="unsupported_media", message="this codec is not supported")
    backend.renderer.finish("call-1", RenderResponse(error=reason), output=None)
    failed = await backend.export_becomes(export["id"], "failed")
    assert failed["error"] == {"code": "unsupported_media", "message": "this codec is not supported"}
    assert failed["frames_done"] == 20
    backend.renderer.automatic = True
    retried = await backend.client.post(f"/api/exports/{export['id']}/retry", None, 202)
    assert (retried["attempt"], retried["frames_done"], retried["error"]) == (2, 0, None)
    await backend.export_becomes(export["id"], "complete")
    assert [request.progress_key for request in backend.renderer.started] == [f"{export['id']}-1", f"{export['id']}-2"]


@pytest.mark.parametrize(("output", "code"), [(None, "output_missing"), (OUTPUT[:-1], "output_mismatch")])
async def test_the_store_decides_whether_there_is_an_output(backend: Backend, output: bytes | None, code: str) -> None:
    export = await under_way(backend)
    backend.renderer.finish("call-1", RenderResponse(result=result()), output=output)
    failed = await backend.export_becomes(export["id"], "failed")
    assert failed["error"]["code"] == code
    assert (await backend.client.get("/api/reels"))["items"] == []


async def test_cancelling_ends_the_call_and_the_export(backend: Backend) -> None:
    export = await under_way(backend)
    cancelled = await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
    assert cancelled["status"] == "cancelled"
    await until_true(lambda: backend.renderer.cancelled == ["call-1"])
    assert [key for key in backend.memory.objects.bodies if "/jobs/pending/" in key] == []
    again = await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
    assert again["status"] == "cancelled"


async def test_a_cancelled_export_cannot_complete_any_more(backend: Backend) -> None:
    export = await under_way(backend)
    await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
    backend.renderer.finish("call-1")
    assert (await backend.client.get(f"/api/exports/{export['id']}"))["status"] == "cancelled"
    assert (await backend.client.get("/api/reels"))["items"] == []
    backend.renderer.automatic = True
    await backend.client.post(f"/api/exports/{export['id']}/retry", None, 202)
    await backend.export_becomes(export["id"], "complete")


async def test_what_is_over_cannot_be_cancelled_and_what_is_not_cannot_be_retried(backend: Backend) -> None:
    export = await under_way(backend)
    problem = await backend.client.post(f"/api/exports/{export['id']}/retry", None, 409)
    assert problem["code"] == "export_not_retryable"
    backend.renderer.finish("call-1")
    await backend.export_becomes(export["id"], "complete")
    for verb, code in (("cancel", "export_not_cancellable"), ("retry", "export_not_retryable")):
        assert (await backend.client.post(f"/api/exports/{export['id']}/{verb}", None, 409))["code"] == code


async def test_no_worker_is_a_failure_that_says_so(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.exports.runner._START_PAUSE_S", 0.0)
    project = await backend.project()
    backend.renderer.unavailable = True
    export = await backend.export(project["id"])
    failed = await backend.export_becomes(export["id"], "failed")
    assert failed["error"]["code"] == "renderer_unavailable"


async def test_a_lost_call_becomes_the_next_attempt(backend: Backend) -> None:
    backend.renderer.automatic = False
    project = await backend.project()
    original = backend.renderer.start

    async def start_and_forget_the_first(request: Any) -> str:
        call_id = await original(request)
        if call_id == "call-1":
            backend.renderer.forget(call_id)
        return call_id

    backend.renderer.start = start_and_forget_the_first  # type: ignore[method-assign]
    export = await backend.export(project["id"])
    await until_true(lambda: backend.renderer.waited_for("call-2"))
    backend.renderer.finish("call-2")
    assert (await backend.export_becomes(export["id"], "complete"))["attempt"] == 2


async def test_an_export_that_is_always_lost_ends(backend: Backend) -> None:
    backend.renderer.automatic = False
    project = await backend.project()
    original = backend.renderer.start

    async def start_and_forget(request: Any) -> str:
        call_id = await original(request)
        backend.renderer.forget(call_id)
        return call_id

    backend.renderer.start = start_and_forget  # type: ignore[method-assign]
    export = await backend.export(project["id"])
    failed = await backend.export_becomes(export["id"], "failed")
    assert failed["error"]["code"] == "restarted_too_often"


async def test_a_bug_in_the_renderer_fails_the_export(backend: Backend) -> None:
    project = await backend.project()

    async def broken(call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        raise ValueError("a bug")

    backend.renderer.wait = broken  # type: ignore[method-assign]
    export = await backend.export(project["id"])
    failed = await backend.export_becomes(export["id"], "failed")
    assert failed["error"]["code"] == "internal"
    assert "bug" not in failed["error"]["message"]


async def test_exports_are_listed_newest_first_and_only_to_their_owner(backend: Backend) -> None:
    project = await backend.project()
    ids = [(await backend.export(project["id"]))["id"] for _ in range(3)]
    for export_id in ids:
        await backend.export_becomes(export_id, "complete")
    listed = await backend.client.get("/api/exports")
    assert {export["id"] for export in listed["items"]} == set(ids)
    created = [export["created_at"] for export in listed["items"]]
    assert created == sorted(created, reverse=True)
    assert (await backend.client.get(f"/api/exports/{ids[0]}", 404, X_User_ID="b"))["code"] == "export_not_found"
    for verb in ("cancel", "retry"):
        await backend.client.post(f"/api/exports/{ids[0]}/{verb}", None, 404, X_User_ID="b")


async def test_cancelling_while_a_call_is_being_started_ends_that_call(backend: Backend) -> None:
    project = await backend.project()
    asked, go_on = asyncio.Event(), asyncio.Event()
    original = backend.renderer.start

    async def slow_start(request: Any) -> str:
        asked.set()
        await go_on.wait()
        return await original(request)

    backend.renderer.start = slow_start  # type: ignore[method-assign]
    export = await backend.export(project["id"])
    await asked.wait()
    cancelling = asyncio.create_task(backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200))
    await backend.export_becomes(export["id"], "cancelled")
    go_on.set()
    await cancelling
    await until_true(lambda: backend.renderer.cancelled == ["call-1"])
