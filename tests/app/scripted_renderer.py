"""A renderer that does what a test tells it, with the contract's requests and responses."""

import asyncio

from app.jobs.renderer import CallLostError, OnProgress, RendererUnavailableError
from gpu.contract import ProbeRequest, ProbeResponse, RenderProgress, RenderRequest, RenderResponse, RenderResult
from gpu.plan.spec import ProbeInfo
from tests.app.memory_storage import MemoryObjects

PROBE = ProbeInfo(
    width=1920,
    height=1080,
    rotation=0,
    fps_num=30,
    fps_den=1,
    frame_count=300,
    duration_ms=10_000,
    video_codec="h264",
    pixel_format="yuv420p",
)
OUTPUT = b"a rendered reel"


def result(frame_count: int = 60, size_bytes: int = len(OUTPUT)) -> RenderResult:
    return RenderResult(
        width=1080,
        height=1920,
        fps_num=30,
        fps_den=1,
        frame_count=frame_count,
        duration_ms=frame_count * 1000 // 30,
        audio_duration_ms=None,
        size_bytes=size_bytes,
        sha256="0" * 64,
        engine="scripted",
        plan_sha256="1" * 64,
    )


class ScriptedRenderer:
    """Calls wait for `finish`; with `automatic` they finish at once and write their output into the store."""

    name = "scripted"
    slots = 4

    def __init__(self, objects: MemoryObjects, *, automatic: bool = True) -> None:
        self._objects = objects
        self.automatic = automatic
        self.probe_response: ProbeResponse | None = ProbeResponse(info=PROBE)
        self.started: list[RenderRequest] = []
        self.cancelled: list[str] = []
        self.unavailable = False
        self._listeners: dict[str, OnProgress] = {}
        self._outcomes: dict[str, asyncio.Future[RenderResponse]] = {}
        self._keys: dict[str, str] = {}
        self._latest: dict[str, RenderProgress] = {}

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        if self.unavailable or self.probe_response is None:
            raise RendererUnavailableError("no worker")
        return self.probe_response

    async def start(self, request: RenderRequest) -> str:
        if self.unavailable:
            raise RendererUnavailableError("no worker")
        self.started.append(request)
        call_id = f"call-{len(self.started)}"
        self._outcomes[call_id] = asyncio.get_running_loop().create_future()
        if self.automatic:
            self.finish(call_id)
        return call_id

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        if call_id not in self._outcomes:
            raise CallLostError(call_id)
        self._listeners[call_id] = on_progress
        self._keys[call_id] = progress_key
        return await asyncio.shield(self._outcomes[call_id])

    async def progress(self, progress_key: str) -> RenderProgress | None:
        return self._latest.get(progress_key)

    async def cancel(self, call_id: str) -> None:
        self.cancelled.append(call_id)

    async def check(self) -> None:
        if self.unavailable:
            raise RendererUnavailableError("no worker")

    async def close(self) -> None:
        return

    def report(self, call_id: str, done: int, total: int = 60) -> None:
        progress = RenderProgress(phase="rendering", frames_done=done, frames_total=total)
        self._latest[self._keys[call_id]] = progress
        self._listeners[call_id](progress)

    def waited_for(self, call_id: str) -> bool:
        return call_id in self._listeners

    def forget(self, call_id: str) -> None:
        """As a restart does to a local renderer."""
        del self._outcomes[call_id]

    def finish(self, call_id: str, response: RenderResponse | None = None, output: bytes | None = OUTPUT) -> None:
        request = self.started[int(call_id.removeprefix("call-")) - 1]
        if output is not None:
            self._objects.bodies[request.output_url.removeprefix("memory://put/")] = output
        frames = request.spec.clips[0].frame_count
        self._outcomes[call_id].set_result(response or RenderResponse(result=result(frames)))
