"""`python -m app` as a process of its own, on the R2 stand-in and the real media functions."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from gpu.sample.writer import write_sample
from infra.localcloud.r2 import R2
from tests.app.backend import Client
from tests.app.waiting import PATIENCE_S, until
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
BUCKET = "reel-ballers-users"
SECONDS, WIDTH, HEIGHT = 2, 640, 360


@pytest.fixture
async def r2(tmp_path: Path) -> AsyncIterator[R2]:
    stand_in = R2(tmp_path / "r2")
    try:
        stand_in.control.create_bucket(BUCKET)
        stand_in.control.grant("the-key", "the-secret", BUCKET, "write")
        await stand_in.start()
        yield stand_in
    finally:
        await stand_in.stop()


class Process:
    """One `python -m app`; `log` has what it said."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self._process = process
        self.log = log
        self.port = port
        self.client = Client(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S))

    def send(self, sign: signal.Signals) -> None:
        self._process.send_signal(sign)

    async def ended(self) -> int:
        return await asyncio.wait_for(self._process.wait(), PATIENCE_S)

    async def healthy(self) -> None:
        async def look() -> bool | None:
            if self._process.returncode is not None:
                raise AssertionError(self.log.read_text())
            try:
                return (await self.client.http.get("/api/health")).status_code == 200
            except httpx.TransportError:
                return None

        await until(look, 0.05)

    async def ready(self) -> None:
        """A machine that stands still for a while is not ready while it does."""

        async def look() -> bool:
            answer = await self.client.http.get("/api/ready")
            return answer.status_code == 200 and answer.json()["status"] == "ready"

        await until(look, 0.05)

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self.client.http.aclose()


@asynccontextmanager
async def process(r2: R2, log: Path, **changes: str) -> AsyncIterator[Process]:
    (port,) = free_ports(1)
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "development",
        "PORT": str(port),
        "R2_ENDPOINT": r2.url,
        "R2_BUCKET": BUCKET,
        "R2_ACCESS_KEY_ID": "the-key",
        "R2_SECRET_ACCESS_KEY": "the-secret",
        **changes,
    }
    with log.open("ab") as stream:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", cwd=ROOT, env=environment, stdout=stream, stderr=stream
        )
    running = Process(started, log, port)
    try:
        yield running
    finally:
        await running.close()


async def upload(client: Client, video: bytes) -> dict[str, Any]:
    """As a browser does: the parts go straight to the store."""
    new = {"filename": "match.mp4", "content_type": "video/mp4", "size_bytes": len(video)}
    started = await client.post("/api/media", new)
    sent = []
    async with httpx.AsyncClient(timeout=PATIENCE_S) as browser:
        for part in started["upload"]["parts"]:
            start = (part["part_number"] - 1) * started["upload"]["part_size_bytes"]
            response = await browser.put(part["url"], content=video[start : start + part["size_bytes"]])
            sent.append({"part_number": part["part_number"], "etag": response.headers["etag"]})
    media_id = started["media"]["id"]
    await client.post(f"/api/media/{media_id}/complete", {"parts": sent}, 200)

    async def ready() -> dict[str, Any] | None:
        media: dict[str, Any] = await client.get(f"/api/media/{media_id}")
        assert media["status"] != "failed", media["error"]
        return media if media["status"] == "ready" else None

    return await until(ready, 0.05)


async def framed(client: Client, media: dict[str, Any]) -> dict[str, Any]:
    """A project with a moving crop; the export that renders it has been asked for."""
    body = {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "home", "media_ids": [media["id"]]}
    game = await client.post("/api/games", body)
    clip = await client.post(
        "/api/clips",
        {"game_id": game["id"], "media_id": media["id"], "in_frame": 10, "out_frame": 30, "rating": 5},
    )
    project = await client.post("/api/projects", {"name": "Goal", "aspect_ratio": "9:16", "clip_ids": [clip["id"]]})
    for frame, x in ((0, 0), (19, 400)):
        path = f"/api/projects/{project['id']}/clip-edits/{project['clip_edits'][0]['id']}/crop-keyframes/{frame}"
        crop = {"x": x, "y": 0, "width": 202.5, "height": 360, "expected_revision": project["revision"]}
        project = await client.call("PUT", path, 200, crop)
    export: dict[str, Any] = await client.post("/api/exports", {"kind": "framing", "project_id": project["id"]}, 202)
    return export


async def final_message(port: int, export_id: str) -> dict[str, Any]:
    async with connect(f"ws://127.0.0.1:{port}/ws/export/{export_id}?user=a", open_timeout=PATIENCE_S) as socket:
        messages = [json.loads(text) async for text in socket]
    assert messages[0]["type"] == "snapshot"
    frames = [message["export"]["frames_done"] for message in messages]
    assert frames == sorted(frames)
    last: dict[str, Any] = messages[-1]
    return last


async def test_a_recording_becomes_a_reel_and_a_kill_in_between_loses_nothing(r2: R2, tmp_path: Path) -> None:
    recording, log = tmp_path / "match.mp4", tmp_path / "app.log"
    await asyncio.to_thread(write_sample, recording, SECONDS, width=WIDTH, height=HEIGHT)
    async with process(r2, log) as first:
        await first.healthy()
        await first.ready()
        media = await upload(first.client, recording.read_bytes())
        assert (media["probe"]["width"], media["probe"]["frame_count"]) == (WIDTH, SECONDS * 30)
        export = await framed(first.client, media)
        first.send(signal.SIGKILL)
        await first.ended()
    async with process(r2, log) as second:
        await second.healthy()
        last = await final_message(second.port, export["id"])
        assert last["type"] == "complete", last
        reel = await second.client.get(f"/api/reels/{last['export']['reel_id']}")
        assert (reel["width"], reel["height"], reel["frame_count"], reel["current"]) == (1080, 1920, 20, True)
        download = await second.client.get(f"/api/reels/{reel['id']}/download")
        async with httpx.AsyncClient(timeout=PATIENCE_S) as browser:
            response = await browser.get(download["url"])
        assert hashlib.sha256(response.content).hexdigest() == reel["sha256"]
        second.send(signal.SIGTERM)
        await second.ended()
    text = log.read_text()
    assert "environment development, renderer local" in text
    assert "the-secret" not in text
    assert "X-Amz-Signature" not in text


@pytest.mark.parametrize("workers", ["1", "4"])
async def test_a_store_that_refuses_the_key_stops_the_start(r2: R2, tmp_path: Path, workers: str) -> None:
    log = tmp_path / "app.log"
    async with process(r2, log, R2_SECRET_ACCESS_KEY="wrong-secret", WEB_CONCURRENCY=workers) as refused:
        assert await refused.ended() == 3
    assert log.read_text().count("the API does not serve: ") == 1
    assert "check R2_ACCESS_KEY_ID and its permissions" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert "wrong-secret" not in log.read_text()
