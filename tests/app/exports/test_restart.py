"""A process ends at any point of an export; the next one brings it to its end."""

import pytest

from gpu.contract import RenderResponse
from tests.app.backend import running_backend
from tests.app.memory_storage import MemoryStorage
from tests.app.scripted_renderer import ScriptedRenderer, result
from tests.app.waiting import until_true


@pytest.fixture
def renderer(memory: MemoryStorage) -> ScriptedRenderer:
    return ScriptedRenderer(memory.objects, automatic=False)


async def left_running(memory: MemoryStorage, renderer: ScriptedRenderer) -> str:
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        await until_true(lambda: renderer.waited_for("call-1"))
        renderer.report("call-1", 40)
        return str(export["id"])


async def test_a_call_that_survives_is_waited_for_again(memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
    export_id = await left_running(memory, renderer)
    renderer.finish("call-1")
    async with running_backend(memory, renderer) as backend:
        done = await backend.export_becomes(export_id, "complete")
    assert done["attempt"] == 1
    assert len(renderer.started) == 1


async def test_a_call_that_died_with_the_process_is_the_next_attempt(
    memory: MemoryStorage, renderer: ScriptedRenderer
) -> None:
    export_id = await left_running(memory, renderer)
    renderer.forget("call-1")
    renderer.automatic = True
    async with running_backend(memory, renderer) as backend:
        done = await backend.export_becomes(export_id, "complete")
    assert done["attempt"] == 2
    assert [request.progress_key for request in renderer.started] == [f"{export_id}-1", f"{export_id}-2"]


async def test_a_call_of_another_renderer_is_started_again(memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
    export_id = await left_running(memory, renderer)
    other = ScriptedRenderer(memory.objects, automatic=False)
    other.name = "other"
    await other.start(renderer.started[0])
    other.automatic = True
    async with running_backend(memory, other) as backend:
        await backend.export_becomes(export_id, "complete")
    assert len(other.started) == 2, "its own call-1 is another one"


async def test_a_crash_after_rendering_only_finalizes(memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
    """The store goes away between the result and the check of the output."""
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        await until_true(lambda: renderer.waited_for("call-1"))
        memory.objects.fault = lambda call, key: "before" if call == "head" else None
        renderer.finish("call-1")
        await backend.export_becomes(export["id"], "rendered")
    memory.objects.fault = lambda call, key: None
    async with running_backend(memory, renderer) as backend:
        done = await backend.export_becomes(export["id"], "complete")
    assert len(renderer.started) == 1
    assert done["attempt"] == 1


async def test_a_lost_answer_to_the_last_commit_makes_one_reel(
    memory: MemoryStorage, renderer: ScriptedRenderer
) -> None:
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        await until_true(lambda: renderer.waited_for("call-1"))
        lost: list[str] = []

        def lose_each_first_answer(call: str, key: str) -> str | None:
            if call != "create" or key in lost:
                return None
            lost.append(key)
            return "after"

        memory.objects.fault = lose_each_first_answer
        renderer.finish("call-1")
        await backend.export_becomes(export["id"], "complete")
        assert len((await backend.client.get("/api/reels"))["items"]) == 1
    assert len(lost) >= 2


async def test_an_export_cancelled_elsewhere_is_dropped_by_the_process_that_runs_it(
    memory: MemoryStorage, renderer: ScriptedRenderer
) -> None:
    async with running_backend(memory, renderer) as first, running_backend(memory, renderer) as second:
        export = await first.export((await first.project())["id"])
        await until_true(lambda: renderer.waited_for("call-1"))
        await second.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
        renderer.finish("call-1", RenderResponse(result=result()))
        await until_true(lambda: not any("/jobs/pending/" in key for key in memory.objects.bodies))
        assert (await first.client.get(f"/api/exports/{export['id']}"))["status"] == "cancelled"
        assert (await first.client.get("/api/reels"))["items"] == []


async def test_clearing_at_startup_fails_what_was_pending(memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
    export_id = await left_running(memory, renderer)
    async with running_backend(memory, renderer, CLEAR_PENDING_JOBS_ON_STARTUP="true") as backend:
        failed = await backend.client.get(f"/api/exports/{export_id}")
        assert (failed["status"], failed["error"]["code"]) == ("failed", "cleared_at_startup")
        assert [key for key in memory.objects.bodies if "/jobs/pending/" in key] == []
        renderer.automatic = True
        await backend.client.post(f"/api/exports/{export_id}/retry", None, 202)
        await backend.export_becomes(export_id, "complete")


async def test_a_probe_is_finished_by_the_next_process(memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
    renderer.unavailable = True
    async with running_backend(memory, renderer) as backend:
        new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": 3}
        started = await backend.client.post("/api/media", new)
        parts = {"parts": [{"part_number": 1, "etag": backend.put_part(started, b"abc")}]}
        await backend.client.post(f"/api/media/{started['media']['id']}/complete", parts, 200)
    renderer.unavailable = False
    async with running_backend(memory, renderer) as backend:
        await backend.media_becomes(started["media"]["id"], "ready")
