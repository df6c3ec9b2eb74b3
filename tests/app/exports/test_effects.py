"""A render call that an export lets go of is ended, whatever crashes or does not answer in between."""

import asyncio
import json
import sqlite3
from typing import Any

import pytest
from pydantic import BaseModel

from app.exports import effects
from app.exports.effects import END_CALL, CallEnds
from app.jobs.renderer import OnProgress, RendererUnavailableError
from app.library import delivery, outbox
from app.library.intent import SYSTEM
from app.library.libraries import Libraries
from app.storage.keys import Keys
from gpu.contract import MediaError, RenderResponse
from tests.app.backend import OWNER, Backend, running_backend
from tests.app.memory_storage import MemoryStorage
from tests.app.scripted_renderer import ScriptedRenderer
from tests.app.waiting import until, until_true


class Nothing(BaseModel):
    pass


class Recording(ScriptedRenderer):
    """Refuses the first `down` ends of calls."""

    def __init__(self, memory: MemoryStorage, *, down: int = 0) -> None:
        super().__init__(memory.objects, automatic=False)
        self.down = down
        self.refused: list[str] = []

    async def cancel(self, call_id: str) -> None:
        if len(self.refused) < self.down:
            self.refused.append(call_id)
            raise RendererUnavailableError("no answer")
        await super().cancel(call_id)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE_S", 0.0)


async def effects_left(memory: MemoryStorage) -> list[dict[str, str]]:
    """As a process without carriers sees them."""
    libraries = Libraries(memory.objects, Keys("development"))
    async with libraries.read(OWNER) as db:
        due = outbox.due(db)
    await libraries.close()
    return [json.loads(effect.body_json) for effect in due]


async def all_delivered(memory: MemoryStorage) -> None:
    async def none_left() -> bool | None:
        return not await effects_left(memory) or None

    await until(none_left)


async def running_export(backend: Backend) -> str:
    export = await backend.export((await backend.project())["id"])
    await until_true(lambda: backend.renderer.waited_for("call-1"))
    return str(export["id"])


async def cancelled_export(memory: MemoryStorage, renderer: Recording) -> str:
    """In a process that dies before the renderer is told."""
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 200)
        return export_id


async def test_the_end_of_a_call_is_posted_in_the_commit_that_cancels(memory: MemoryStorage) -> None:
    renderer = Recording(memory, down=10**9)
    await cancelled_export(memory, renderer)
    assert await effects_left(memory) == [{"renderer": "scripted", "call_id": "call-1"}]
    assert renderer.cancelled == []


async def test_a_crash_after_the_commit_leaves_the_end_to_the_next_process(memory: MemoryStorage) -> None:
    await cancelled_export(memory, Recording(memory, down=10**9))
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        assert [export["status"] for export in (await backend.client.get("/api/exports"))["items"]] == ["cancelled"]
        await all_delivered(memory)
    assert renderer.cancelled == ["call-1"]


async def test_a_crash_in_the_middle_of_ending_a_call_ends_it_again(memory: MemoryStorage) -> None:
    class Hanging(Recording):
        async def cancel(self, call_id: str) -> None:
            self.cancelled.append(call_id)
            await asyncio.Event().wait()

    first, second = Hanging(memory), Recording(memory)
    async with running_backend(memory, first) as backend:
        export_id = await running_export(backend)
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 200)
        await until_true(lambda: first.cancelled == ["call-1"])
    async with running_backend(memory, second) as backend:
        await backend.client.get("/api/exports")
        await all_delivered(memory)
    assert second.cancelled == ["call-1"]


async def test_a_renderer_that_is_down_is_asked_again(memory: MemoryStorage) -> None:
    renderer = Recording(memory, down=3)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 200)
        await all_delivered(memory)
    assert renderer.refused == ["call-1"] * 3
    assert renderer.cancelled == ["call-1"]


async def test_a_renderer_that_is_down_raises_so_that_the_row_stays(memory: MemoryStorage) -> None:
    ends = CallEnds(Recording(memory, down=1))
    body = json.dumps({"renderer": "scripted", "call_id": "call-1"})
    with pytest.raises(RendererUnavailableError):
        await ends.carry_out(OWNER, body)


async def test_ending_a_call_twice_is_harmless(memory: MemoryStorage) -> None:
    """Two processes that deliver the same row, and a call that is over."""
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        renderer.finish("call-1")
        await backend.export_becomes(export_id, "complete")
        libraries = Libraries(memory.objects, Keys("development"))
        libraries.carry_out(END_CALL, CallEnds(renderer).carry_out)
        for _ in range(2):
            await libraries.commit(OWNER, SYSTEM, post_end_of_call_1, Nothing)
        await all_delivered(memory)
        assert (await backend.client.get(f"/api/exports/{export_id}"))["status"] == "complete"
        await libraries.close()
    assert renderer.cancelled == ["call-1", "call-1"]


def post_end_of_call_1(db: sqlite3.Connection) -> Nothing:
    effects.end_call(db, "scripted", "call-1")
    return Nothing()


async def test_a_call_of_another_renderer_is_named_and_given_up(
    memory: MemoryStorage, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody here could end it, today or later."""
    await cancelled_export(memory, Recording(memory, down=10**9))
    other = Recording(memory)
    other.name = "other"
    async with running_backend(memory, other) as backend:
        await backend.client.get("/api/exports")
        await all_delivered(memory)
    assert other.cancelled == []
    assert "call call-1 of user a is left to run to its end: it is on scripted" in caplog.text


async def test_a_refused_cancel_posts_nothing(memory: MemoryStorage) -> None:
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        version = {"X-Session-ID": "tab-1", "X-Library-Version": "1"}
        assert (await backend.client.post(f"/api/exports/{export_id}/cancel", None, 409, **version))["code"] == (
            "stale_session"
        )
        assert await effects_left(memory) == []
        renderer.finish("call-1")
        await backend.export_becomes(export_id, "complete")
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 409)
        assert await effects_left(memory) == []
    assert renderer.cancelled == []


async def test_cancelling_twice_and_a_repeated_answer_post_once(memory: MemoryStorage) -> None:
    renderer = Recording(memory, down=10**9)
    async with running_backend(memory, renderer) as backend:
        path = f"/api/exports/{await running_export(backend)}/cancel"
        for key in ("k-1", "k-1", "k-2"):
            await backend.client.post(path, None, 200, Idempotency_Key=key)
    assert len(await effects_left(memory)) == 1


async def test_what_is_not_running_has_no_call_to_end(memory: MemoryStorage) -> None:
    """Rendered already: the store is down while the output is looked for."""
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        memory.objects.fault = lambda call, key: "before" if call == "head" else None
        renderer.finish("call-1")
        await backend.export_becomes(export_id, "rendered")
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 200)
        assert await effects_left(memory) == []
    assert renderer.cancelled == []


async def test_a_call_that_starts_after_its_export_ended_is_ended_in_one_commit(
    memory: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renderer that is down at that moment is neither asked to start again nor forgotten."""
    monkeypatch.setattr("app.exports.runner._START_PAUSE_S", 0.0)
    renderer = Recording(memory, down=2)
    asked, go_on = asyncio.Event(), asyncio.Event()
    start = renderer.start

    async def slow_start(request: Any) -> str:
        asked.set()
        await go_on.wait()
        return await start(request)

    renderer.start = slow_start  # type: ignore[method-assign]
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        await asked.wait()
        cancelling = asyncio.create_task(backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200))
        await backend.export_becomes(export["id"], "cancelled")
        go_on.set()
        await cancelling
        await until_true(lambda: renderer.cancelled == ["call-1"])
        await all_delivered(memory)
    assert renderer.refused == ["call-1"] * 2
    assert len(renderer.started) == 1


async def test_an_export_that_breaks_on_the_server_ends_its_call(memory: MemoryStorage) -> None:
    class Broken(Recording):
        async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
            raise ValueError("a bug")

    renderer = Broken(memory)
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        failed = await backend.export_becomes(export["id"], "failed")
        assert failed["error"]["code"] == "internal"
        await all_delivered(memory)
    assert renderer.cancelled == ["call-1"]


async def test_an_export_that_is_cleared_at_startup_ends_its_call(memory: MemoryStorage) -> None:
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
    async with running_backend(memory, renderer, CLEAR_PENDING_JOBS_ON_STARTUP="true") as backend:
        assert (await backend.client.get(f"/api/exports/{export_id}"))["status"] == "failed"
        await all_delivered(memory)
    assert renderer.cancelled == ["call-1"]


async def test_a_call_that_failed_by_itself_is_over(memory: MemoryStorage) -> None:
    renderer = Recording(memory)
    async with running_backend(memory, renderer) as backend:
        export_id = await running_export(backend)
        reason = MediaError(code="unsupported_media", message="this codec is not supported")
        renderer.finish("call-1", RenderResponse(error=reason), output=None)
        await backend.export_becomes(export_id, "failed")
        assert await effects_left(memory) == []
    assert renderer.cancelled == []


async def test_a_retry_may_run_while_the_former_call_still_has_to_be_ended(memory: MemoryStorage) -> None:
    """The row names the call by its id, which the next attempt never gets."""
    export_id = await cancelled_export(memory, Recording(memory, down=10**9))
    renderer = Recording(memory, down=10**9)
    renderer.started = [None]  # type: ignore[list-item] # its call-1 was started by the process before
    async with running_backend(memory, renderer) as backend:
        await backend.client.post(f"/api/exports/{export_id}/retry", None, 202)
        await until_true(lambda: renderer.waited_for("call-2"))
        renderer.down = 0
        await all_delivered(memory)
        renderer.finish("call-2")
        await backend.export_becomes(export_id, "complete")
    assert renderer.cancelled == ["call-1"]
