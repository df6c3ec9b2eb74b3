"""A whole stack in this process, small enough to break one thing at a time: bucket, backend, site and their outputs."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.jobs.renderer import OnProgress, RendererUnavailableError
from app.main import create_app
from app.settings import load_settings
from app.storage.r2 import open_r2
from app.wiring import Outside
from gpu.contract import (
    MediaError,
    ProbeRequest,
    ProbeResponse,
    RenderProgress,
    RenderRequest,
    RenderResponse,
    RenderResult,
)
from gpu.plan.spec import ProbeInfo
from infra.deploy.verify.outputs import Outputs
from infra.localcloud.asgi import AsgiServer
from infra.localcloud.r2 import R2, CorsRule

BUCKET = "reel-ballers-users"
TOKEN = "verify-0123456789abcdef0123456789abcdef"
VERSION = "abc123+def456"
PAGE = '<!doctype html><html><body><div id="root"></div></body></html>'
FRAMES, WIDTH, HEIGHT = 60, 1080, 1920
Interference = Callable[[Scope, Receive, Send, ASGIApp], Awaitable[bool]]
"""True when it has answered; False lets the request through."""


class Interfering:
    """Stands in front of an application and lets a test disturb it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.interferences: list[Interference] = []
        self.requests: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append(f"{scope.get('method', scope['type'])} {scope['path']}")
        for interference in self.interferences:
            if await interference(scope, receive, send, self._app):
                return
        await self._app(scope, receive, send)

    def answer(self, method: str, path: str, response: Response, times: int = 10**9) -> None:
        """Instead of the application, to the first `times` requests whose path begins like this."""
        left = times

        async def interfere(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
            nonlocal left
            if scope["type"] != "http" or scope["method"] != method or not scope["path"].startswith(path) or not left:
                return False
            left -= 1
            await response(scope, receive, send)
            return True

        self.interferences.append(interfere)

    def change_headers(self, change: Callable[[dict[str, str], str], None]) -> None:
        """`change` gets the answer's headers and the request's Origin."""

        async def interfere(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
            if scope["type"] != "http":
                return False
            origin = dict(scope["headers"]).get(b"origin", b"").decode()

            async def changed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    headers = {name.decode(): value.decode() for name, value in message["headers"]}
                    change(headers, origin)
                    message["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
                await send(message)

            await app(scope, receive, changed)
            return True

        self.interferences.append(interfere)

    def change_socket(self, change: Callable[[Scope, Message], Message | None]) -> None:
        """`change` gets what the application sends over a socket; None holds it back.

        What follows a close goes nowhere, as over a lost connection: the application may send before it hears of it.
        """

        async def interfere(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
            if scope["type"] != "websocket":
                return False
            closed = False

            async def changed(message: Message) -> None:
                nonlocal closed
                found = None if closed else change(scope, message)
                if found is not None:
                    closed = found["type"] == "websocket.close"
                    await send(found)

            await app(scope, receive, changed)
            return True

        self.interferences.append(interfere)

    def change_scope(self, change: Callable[[Scope], None]) -> None:
        async def interfere(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
            change(scope)
            return False

        self.interferences.append(interfere)


class FileRenderer:
    """Renders everything into the same file; what it claims about it can be changed."""

    name = "file"
    slots = 4

    def __init__(self, video: bytes) -> None:
        self.video = video
        self.frames = FRAMES
        self.sha256 = ""
        self.broken_kinds: set[str] = set()
        self.available = True
        self.probe_error: MediaError | None = None
        self._calls: dict[str, RenderRequest] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        info = ProbeInfo(
            width=640,
            height=360,
            rotation=0,
            fps_num=30,
            fps_den=1,
            frame_count=FRAMES,
            duration_ms=2000,
            video_codec="h264",
            pixel_format="yuv420p",
        )
        return ProbeResponse(error=self.probe_error) if self.probe_error else ProbeResponse(info=info)

    async def start(self, request: RenderRequest) -> str:
        call_id = f"call-{len(self._calls)}"
        self._calls[call_id] = request
        return call_id

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        request = self._calls[call_id]
        await self.gate.wait()
        if request.kind in self.broken_kinds:
            return RenderResponse(error=MediaError(code="internal", message="the media function broke"))
        for done in (0, self.frames // 2, self.frames):
            on_progress(RenderProgress(phase="rendering", frames_done=done, frames_total=self.frames))
            await asyncio.sleep(0)
        async with httpx.AsyncClient(timeout=60) as client:
            put = await client.put(request.output_url, content=self.video, headers={"Content-Type": "video/mp4"})
            put.raise_for_status()
        return RenderResponse(result=self._result())

    def _result(self) -> RenderResult:
        import hashlib

        return RenderResult(
            width=WIDTH,
            height=HEIGHT,
            fps_num=30,
            fps_den=1,
            frame_count=self.frames,
            duration_ms=2000,
            audio_duration_ms=None,
            size_bytes=len(self.video),
            sha256=self.sha256 or hashlib.sha256(self.video).hexdigest(),
            engine="file",
            plan_sha256="1" * 64,
        )

    async def progress(self, progress_key: str) -> RenderProgress | None:
        return None

    async def cancel(self, call_id: str) -> None:
        return

    async def check(self) -> None:
        if not self.available:
            raise RendererUnavailableError("no media worker")

    async def close(self) -> None:
        return


class World:
    """`api` and `site` stand in front of backend and pages; `outputs` are what a stack would say about them."""

    def __init__(self, r2: R2, api: Interfering, site: Interfering, renderer: Any) -> None:
        self.r2 = r2
        self.api = api
        self.site = site
        self.renderer = renderer
        self.api_url = ""
        self.app_url = ""
        self.config: Any = {}
        self.storage: Any = None

    def outputs(self, **changes: Any) -> Outputs:
        return Outputs.model_validate({**self.values(), **changes})

    def values(self) -> dict[str, Any]:
        return {
            "app_url": self.app_url,
            "api_url": self.api_url,
            "health_url": f"{self.api_url}/api/health",
            "ws_url": f"ws{self.api_url.removeprefix('http')}/ws",
            "landing_url": f"{self.app_url}/landing",
            "version": VERSION,
            "verify_token": TOKEN,
        }

    def allow(self, *origins: str, expose: tuple[str, ...] = ("ETag",)) -> None:
        """The bucket's CORS rules."""
        rule = CorsRule(origins=origins, methods=("GET", "PUT", "HEAD"), headers=("*",), expose_headers=expose)
        self.r2.control.set_cors(BUCKET, [rule] if origins else [])

    async def keys(self) -> list[str]:
        """Of everything in the bucket that belongs to a user, but for the libraries themselves."""
        found = await self.storage.objects.list("development/", 1000)
        return [key for key in found if "/library/" not in key]

    async def stored(self, user: str, *, token: bool = True) -> dict[str, int]:
        """How much the API lists for whom."""
        headers = {"Authorization": f"Bearer {TOKEN}"} if token else {"X-User-ID": user}
        async with httpx.AsyncClient(base_url=self.api_url, headers=headers, timeout=60) as client:
            rooms = ("reels", "exports", "projects", "games", "media")
            return {room: len((await client.get(f"/api/{room}")).json()["items"]) for room in rooms}


@asynccontextmanager
async def world(folder: Path, renderer: Any, **environment: str) -> AsyncIterator[World]:
    """Everything on loopback and free ports; closed at the end."""
    r2 = R2(folder / "r2")
    r2.control.create_bucket(BUCKET)
    r2.control.grant("the-key", "the-secret", BUCKET, "write")
    await r2.start()
    made = World(r2, Interfering(_nothing), Interfering(_nothing), renderer)
    site = Interfering(_site(made))
    site_server = AsgiServer(site)
    await site_server.start()
    made.site, made.app_url = site, site_server.url
    variables = {
        "APP_ENV": "development",
        "R2_ENDPOINT": r2.url,
        "R2_BUCKET": BUCKET,
        "R2_ACCESS_KEY_ID": "the-key",
        "R2_SECRET_ACCESS_KEY": "the-secret",
        "VERIFY_TOKEN": TOKEN,
        "CORS_ORIGINS": made.app_url,
        **environment,
    }
    settings = load_settings({name: value for name, value in variables.items() if value})
    made.storage = open_r2(settings.r2)
    app = create_app(settings, Outside(made.storage, renderer))
    made.api = Interfering(app)
    api_server = AsgiServer(made.api, websockets=True)
    await api_server.start()
    made.api_url = api_server.url
    made.config = {"apiUrl": made.api_url}
    made.allow(made.app_url)
    try:
        async with app.router.lifespan_context(app):
            yield made
            await api_server.stop()
    finally:
        await api_server.stop()
        await site_server.stop()
        await r2.stop()


def _site(made: World) -> Starlette:
    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def config(_: Request) -> Response:
        return Response(json.dumps(made.config), media_type="application/json")

    return Starlette(routes=[Route("/", page), Route("/config.json", config), Route("/landing", page)])


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({}, 503)(scope, receive, send)
