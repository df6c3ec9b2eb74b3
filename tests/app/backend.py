"""A whole backend on memory storage, and what a client does with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from app.kit.owner import Owner
from app.main import create_app
from app.settings import load_settings
from app.wiring import Outside
from tests.app.memory_storage import MemoryStorage
from tests.app.scripted_renderer import ScriptedRenderer
from tests.app.waiting import until

OWNER = Owner("a", "default")
ENVIRONMENT = {
    "APP_ENV": "development",
    "R2_ENDPOINT": "http://127.0.0.1:9400",
    "R2_BUCKET": "reel-ballers-users",
    "R2_ACCESS_KEY_ID": "key",
    "R2_SECRET_ACCESS_KEY": "secret-of-r2",
}
STAGING = {**ENVIRONMENT, "APP_ENV": "staging", "CORS_ORIGINS": "https://staging.example.com"}
VIDEO = b"not really a video" * 3


class Client:
    """Speaks the API as one user; every answer is checked against the expected status."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(self, method: str, path: str, status: int, body: Any = None, /, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.http.request(method, path, json=body, headers=named)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    async def get(self, path: str, status: int = 200, /, **headers: str) -> Any:
        return await self.call("GET", path, status, **headers)

    async def post(self, path: str, body: Any = None, status: int = 201, /, **headers: str) -> Any:
        return await self.call("POST", path, status, body, **headers)


class Backend:
    """One process: its app, its client, and the outside that may outlive it."""

    def __init__(self, app: FastAPI, client: Client, memory: MemoryStorage, renderer: ScriptedRenderer) -> None:
        self.app = app
        self.client = client
        self.memory = memory
        self.renderer = renderer

    async def uploaded(self) -> dict[str, Any]:
        """A recording that is ready."""
        body = {"filename": "game.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}
        started = await self.client.post("/api/media", body)
        media_id = started["media"]["id"]
        etag = self.put_part(started, VIDEO)
        parts = {"parts": [{"part_number": 1, "etag": etag}]}
        await self.client.post(f"/api/media/{media_id}/complete", parts, 200)
        return await self.media_becomes(media_id, "ready")

    def put_part(self, started: Mapping[str, Any], body: bytes, part_number: int = 1) -> str:
        """What a browser does with the URL of a part."""
        url: str = started["upload"]["parts"][part_number - 1]["url"]
        upload_id = url.removeprefix("memory://part/").partition("/")[0]
        return self.memory.uploads.put(upload_id, part_number, body)

    async def media_becomes(self, media_id: str, status: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            media: dict[str, Any] = await self.client.get(f"/api/media/{media_id}")
            return media if media["status"] == status else None

        return await until(there)

    async def clip(self, **changes: Any) -> dict[str, Any]:
        media = await self.uploaded()
        game = await self.client.post(
            "/api/games",
            {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "home", "media_ids": [media["id"]]},
        )
        body = {"game_id": game["id"], "media_id": media["id"], "in_frame": 30, "out_frame": 90, "rating": 5}
        clip: dict[str, Any] = await self.client.post("/api/clips", {**body, **changes})
        return clip

    async def project(self, aspect_ratio: str = "9:16") -> dict[str, Any]:
        clip = await self.clip()
        body = {"name": "Goal of the day", "aspect_ratio": aspect_ratio, "clip_ids": [clip["id"]]}
        project: dict[str, Any] = await self.client.post("/api/projects", body)
        return project

    async def export(self, project_id: str) -> dict[str, Any]:
        body = {"kind": "framing", "project_id": project_id}
        export: dict[str, Any] = await self.client.post("/api/exports", body, 202)
        return export

    async def export_becomes(self, export_id: str, status: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            export: dict[str, Any] = await self.client.get(f"/api/exports/{export_id}")
            return export if export["status"] == status else None

        return await until(there)


@asynccontextmanager
async def running_backend(
    memory: MemoryStorage | None = None, renderer: ScriptedRenderer | None = None, /, **environment: str
) -> AsyncIterator[Backend]:
    """Started and stopped as uvicorn does it; `environment` is added to the usual one."""
    memory = memory or MemoryStorage()
    renderer = renderer or ScriptedRenderer(memory.objects)
    app = create_app(load_settings({**ENVIRONMENT, **environment}), Outside(memory.storage, renderer))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as http,
    ):
        yield Backend(app, Client(http), memory, renderer)
