import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from infra.localcloud.asgi import AsgiServer
from tests.app.backend import STAGING, Backend, running_backend
from tests.app.memory_storage import MemoryStorage
from tests.app.scripted_renderer import ScriptedRenderer
from tests.app.waiting import PATIENCE_S, until_true


@asynccontextmanager
async def served(backend: Backend) -> AsyncIterator[str]:
    server = AsgiServer(backend.app, websockets=True)
    await server.start()
    try:
        yield f"ws://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def heard(client: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(client.recv(), PATIENCE_S))
    return message


async def close_code(url: str, **options: Any) -> int | None:
    async with connect(url, **options) as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code


async def running_export(backend: Backend) -> str:
    backend.renderer.automatic = False
    export = await backend.export((await backend.project())["id"])
    await until_true(lambda: backend.renderer.waited_for("call-1"))
    return str(export["id"])


async def test_progress_of_one_export_from_snapshot_to_complete(backend: Backend) -> None:
    export_id = await running_export(backend)
    async with served(backend) as url, connect(f"{url}/ws/export/{export_id}?user=a") as client:
        first = await heard(client)
        assert (first["type"], first["export"]["id"], first["export"]["status"]) == ("snapshot", export_id, "running")
        backend.renderer.report("call-1", 30)
        backend.renderer.report("call-1", 20)
        message = await heard(client)
        assert (message["type"], message["export"]["frames_done"]) == ("progress", 30)
        backend.renderer.finish("call-1")
        messages = [json.loads(text) async for text in client]
    assert messages[-1]["type"] == "complete"
    assert client.close_code == 1000
    statuses = [message["export"]["status"] for message in messages]
    assert statuses == sorted(statuses, key=["running", "rendered", "finalizing", "complete"].index)
    frames = [message["export"]["frames_done"] for message in messages]
    assert frames == sorted(frames)
    reel_id = messages[-1]["export"]["reel_id"]
    await backend.client.get(f"/api/reels/{reel_id}")


async def test_who_comes_late_gets_a_snapshot_and_the_end(backend: Backend) -> None:
    export = await backend.export((await backend.project())["id"])
    await backend.export_becomes(export["id"], "complete")
    async with served(backend) as url, connect(f"{url}/ws/export/{export['id']}?user=a") as client:
        messages = [json.loads(text) async for text in client]
    assert [message["type"] for message in messages] == ["snapshot", "complete"]
    assert client.close_code == 1000


async def test_a_cancelled_export_says_so(backend: Backend) -> None:
    export_id = await running_export(backend)
    async with served(backend) as url, connect(f"{url}/ws/export/{export_id}") as client:
        await heard(client)
        await backend.client.post(f"/api/exports/{export_id}/cancel", None, 200)
        messages = [json.loads(text) async for text in client]
    assert messages[-1]["type"] == "cancelled"


async def test_unknown_and_foreign_exports_close_with_4404(backend: Backend) -> None:
    export_id = await running_export(backend)
    async with served(backend) as url:
        assert await close_code(f"{url}/ws/export/exp_0?user=a") == 4404
        assert await close_code(f"{url}/ws/export/{export_id}?user=b") == 4404
        assert await close_code(f"{url}/ws/export/{export_id}?user=a&profile=other") == 4404


async def test_pages_of_other_origins_and_strange_names_are_closed(backend: Backend) -> None:
    export_id = await running_export(backend)
    async with served(backend) as url:
        path = f"{url}/ws/export/{export_id}"
        assert await close_code(path, origin="https://evil.example") == 4403
        assert await close_code(f"{path}?user=../b") == 4400
        async with connect(path, origin=Origin("http://localhost:5173")) as client:
            assert (await heard(client))["type"] == "snapshot"


async def test_outside_development_nobody_listens_by_name() -> None:
    async with running_backend(**STAGING) as backend, served(backend) as url:
        assert await close_code(f"{url}/ws/export/exp_0?user=a") == 4401


async def test_a_socket_at_another_process_hears_of_the_end(
    memory: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.progress.socket._LOOK_S", 0.01)
    renderer = ScriptedRenderer(memory.objects, automatic=False)
    async with running_backend(memory, renderer) as first, running_backend(memory, renderer) as second:
        export_id = await running_export(first)
        renderer.report("call-1", 30)
        async with served(second) as url, connect(f"{url}/ws/export/{export_id}") as client:
            snapshot = await heard(client)
            assert (snapshot["type"], snapshot["export"]["frames_done"]) == ("snapshot", 30), "no way back to 0"
            renderer.finish("call-1")
            messages = [json.loads(text) async for text in client]
    assert messages[-1]["type"] == "complete"
