"""The backend as an image runs it, `python held_backend.py`, with renders that last until a file lets them end.

As on Modal, a call outlives the process that began it: calls are files in the folder HELD_RENDERS, and every machine
sees the same progress. Everything else is the product's own `python -m app`.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from pathlib import Path

import httpx

import app.__main__
import app.main
from app.__main__ import main
from app.jobs.renderer import CallLostError, OnProgress
from app.settings import Settings
from app.storage.r2 import open_r2
from app.wiring import Outside
from gpu.contract import (
    ProbeRequest,
    ProbeResponse,
    RenderProgress,
    RenderRequest,
    RenderResponse,
    RenderResult,
)
from gpu.plan.spec import ProbeInfo

FRAMES_PER_SECOND = 2.0
LOOK_S = 0.2
PATIENCE_S = 60.0
OUTPUT = b"a rendered reel"
PROBE = ProbeInfo(
    width=1920,
    height=1080,
    rotation=0,
    fps_num=30,
    fps_den=1,
    frame_count=900,
    duration_ms=30_000,
    video_codec="h264",
    pixel_format="yuv420p",
)


class HeldRenderer:
    """Renderer (`app.jobs.renderer`): all calls end once the file `finish` is there."""

    name = "held"
    slots = 100

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        return ProbeResponse(info=PROBE)

    async def start(self, request: RenderRequest) -> str:
        call_id = uuid.uuid4().hex
        call = {"begun": time.time(), "request": request.model_dump(mode="json")}
        self._write(f"{call_id}.json", json.dumps(call))
        self._write(request.progress_key.replace("/", "_"), call_id)
        return call_id

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        if not (self._folder / f"{call_id}.json").is_file():
            raise CallLostError(call_id)
        while not (self._folder / "finish").exists():
            on_progress(self._progress(call_id))
            await asyncio.sleep(LOOK_S)
        request = self._request(call_id)
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            answer = await client.put(request.output_url, content=OUTPUT, headers={"Content-Type": "video/mp4"})
            answer.raise_for_status()
        return RenderResponse(result=_result(request.spec.clips[0].frame_count))

    async def progress(self, progress_key: str) -> RenderProgress | None:
        named = self._folder / progress_key.replace("/", "_")
        return self._progress(named.read_text()) if named.is_file() else None

    async def cancel(self, call_id: str) -> None:
        return

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return

    def _write(self, name: str, text: str) -> None:
        """In one piece: another machine may look for the file at any moment."""
        written = self._folder / f"{name}.{uuid.uuid4().hex}"
        written.write_text(text)
        written.replace(self._folder / name)

    def _progress(self, call_id: str) -> RenderProgress:
        begun = json.loads((self._folder / f"{call_id}.json").read_text())["begun"]
        spec = self._request(call_id).spec
        total = spec.clips[0].frame_count
        done = min(total - 1, int((time.time() - begun) * FRAMES_PER_SECOND))
        return RenderProgress(phase="rendering", frames_done=done, frames_total=total)

    def _request(self, call_id: str) -> RenderRequest:
        return RenderRequest.model_validate(json.loads((self._folder / f"{call_id}.json").read_text())["request"])


def _result(frames: int) -> RenderResult:
    return RenderResult(
        width=1080,
        height=1920,
        fps_num=30,
        fps_den=1,
        frame_count=frames,
        duration_ms=frames * 1000 // 30,
        audio_duration_ms=None,
        size_bytes=len(OUTPUT),
        sha256="0" * 64,
        engine="held",
        plan_sha256="1" * 64,
    )


def outside(settings: Settings) -> Outside:
    return Outside(open_r2(settings.r2), HeldRenderer(Path(os.environ["HELD_RENDERS"])))


if __name__ == "__main__":
    vars(app.main)["outside"] = outside
    # An answer to a ping that lies unread when the process ends would take its close frame along.
    vars(app.__main__)["PING_S"] = 3600.0
    sys.exit(main())
