"""The main job as a user does it, over the public API only: recording in, reel out.

Media goes straight between this process and the bucket by presigned URLs, as it does in the browser.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from infra.deploy.errors import DeployError

Json = dict[str, Any]
Say = Callable[[str], None]

PARALLEL_PARTS = 4
CLIP_SECONDS = 6
RECONNECTS = 5
MEDIA_TIMEOUT_S = 120


@dataclass
class Reel:
    """What the job ended with; `seconds` per step in the order of the steps."""

    path: Path
    size_bytes: int
    frame_count: int
    width: int
    height: int
    duration_ms: int
    seconds: dict[str, float] = field(default_factory=dict)


class Journey:
    """One user's way through the product; `say` gets a line for each thing worth seeing."""

    def __init__(self, api_url: str, user: str, say: Say) -> None:
        self._api = httpx.AsyncClient(base_url=api_url, headers={"X-User-ID": user}, timeout=60)
        self._bucket = httpx.AsyncClient(timeout=300)
        self._ws_url = "ws" + api_url.removeprefix("http")
        self._user = user
        self._say = say
        self._seconds: dict[str, float] = {}

    async def run(self, video: Path, target: Path) -> Reel:
        """Upload `video`, render its first seconds as a 9:16 reel and store that at `target`; raises DeployError."""
        async with self._api, self._bucket:
            with self._timed("upload"):
                media = await self._upload(video)
            with self._timed("probe"):
                media = await self._ready(media["id"])
            with self._timed("edit"):
                project = await self._edit(media)
            with self._timed("export"):
                reel_id = await self._export(project["id"])
            with self._timed("download"):
                reel = await self._download(reel_id, target)
        return Reel(
            path=target,
            size_bytes=reel["size_bytes"],
            frame_count=reel["frame_count"],
            width=reel["width"],
            height=reel["height"],
            duration_ms=reel["duration_ms"],
            seconds=self._seconds,
        )

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._seconds[step] = time.perf_counter() - begun
        self._say(f"{step}: {self._seconds[step]:.1f} s")

    async def _upload(self, video: Path) -> Json:
        size = video.stat().st_size
        body = {"filename": video.name, "content_type": _content_type(video), "size_bytes": size}
        created = await self._call("POST", "/api/media", body)
        media, upload = created["media"], created["upload"]
        self._say(f"uploading {video.name}, {size / 1e6:.1f} MB in {upload['part_count']} part(s)")
        parts = {part["part_number"]: part for part in upload["parts"]}
        missing = [number for number in range(1, upload["part_count"] + 1) if number not in parts]
        for start in range(0, len(missing), 100):
            more = await self._call(
                "POST", f"/api/media/{media['id']}/part-urls", {"part_numbers": missing[start : start + 100]}
            )
            parts.update({part["part_number"]: part for part in more["parts"]})
        gate = asyncio.Semaphore(PARALLEL_PARTS)
        sent = await asyncio.gather(
            *(self._put_part(gate, video, parts[number], upload["part_size_bytes"]) for number in sorted(parts))
        )
        done: Json = await self._call("POST", f"/api/media/{media['id']}/complete", {"parts": sent})
        return done

    async def _put_part(self, gate: asyncio.Semaphore, video: Path, part: Json, part_size: int) -> Json:
        async with gate:
            content = await asyncio.to_thread(_read, video, (part["part_number"] - 1) * part_size, part["size_bytes"])
            answer = await self._bucket.put(part["url"], content=content)
        if answer.status_code != 200:
            raise DeployError(f"the bucket answered {answer.status_code} to part {part['part_number']}")
        return {"part_number": part["part_number"], "etag": answer.headers["etag"]}

    async def _ready(self, media_id: str) -> Json:
        async for media in _poll(lambda: self._call("GET", f"/api/media/{media_id}"), MEDIA_TIMEOUT_S):
            if media["status"] == "ready":
                return media
            if media["status"] in ("failed", "expired"):
                raise DeployError(
                    f"the recording cannot be used: {(media['error'] or {}).get('message', media['status'])}"
                )
        raise DeployError(f"the recording was not read within {MEDIA_TIMEOUT_S} s")

    async def _edit(self, media: Json) -> Json:
        probe = media["probe"]
        game = await self._call(
            "POST",
            "/api/games",
            {"opponent": "Rovers", "played_on": "2026-05-09", "venue": "home", "media_ids": [media["id"]]},
        )
        frames = min(probe["frame_count"], CLIP_SECONDS * probe["fps_num"] // probe["fps_den"])
        clip = await self._call(
            "POST",
            "/api/clips",
            {
                "game_id": game["id"],
                "media_id": media["id"],
                "in_frame": 0,
                "out_frame": frames,
                "rating": 5,
                "tags": ["goal"],
                "notes": "",
            },
        )
        project: Json = await self._call(
            "POST", "/api/projects", {"name": "Reel", "aspect_ratio": "9:16", "clip_ids": [clip["id"]]}
        )
        for keyframe in pan(probe["width"], probe["height"], frames):
            edit = project["clip_edits"][0]
            frame = keyframe.pop("frame")
            project = await self._call(
                "PUT",
                f"/api/projects/{project['id']}/clip-edits/{edit['id']}/crop-keyframes/{frame}",
                {"expected_revision": project["revision"], "easing": "smooth", **keyframe},
            )
        return project

    async def _export(self, project_id: str) -> str:
        job = await self._call("POST", "/api/exports", {"kind": "framing", "project_id": project_id})
        shown = -1
        async for export in self._progress(job["id"]):
            quarter = int(export["progress_percent"] // 25)
            if quarter > shown:
                shown = quarter
                self._say(f"rendering: {export['frames_done']} of {export['frames_total'] or '?'} frames")
            job = export
        if job["status"] != "complete":
            raise DeployError(
                f"the export ended as {job['status']}: {(job['error'] or {}).get('message', 'no reason given')}"
            )
        return str(job["reel_id"])

    async def _progress(self, export_id: str) -> AsyncIterator[Json]:
        """States of an export until its last; a lost connection is made again and starts with a snapshot."""
        address = f"{self._ws_url}/ws/export/{export_id}?{urlencode({'user': self._user})}"
        for _ in range(RECONNECTS):
            try:
                async with connect(address, open_timeout=30) as socket:
                    async for text in socket:
                        message = json.loads(text)
                        if message["type"] != "heartbeat":
                            yield message["export"]
                        if message.get("export", {}).get("status") in ("complete", "failed", "cancelled"):
                            return
            except (ConnectionClosed, OSError) as error:
                self._say(f"progress connection lost ({type(error).__name__}), connecting again")
        raise DeployError(f"the progress of export {export_id} ended {RECONNECTS} times without a result")

    async def _download(self, reel_id: str, target: Path) -> Json:
        reel: Json = await self._call("GET", f"/api/reels/{reel_id}")
        link = await self._call("GET", f"/api/reels/{reel_id}/download")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        async with self._bucket.stream("GET", link["url"]) as answer:
            if answer.status_code != 200:
                raise DeployError(f"the bucket answered {answer.status_code} to the download of reel {reel_id}")
            with partial.open("wb") as file:
                async for chunk in answer.aiter_bytes(1 << 20):
                    file.write(chunk)
        if partial.stat().st_size != reel["size_bytes"]:
            raise DeployError(f"reel {reel_id} has {reel['size_bytes']} bytes, {partial.stat().st_size} arrived")
        partial.replace(target)
        return reel

    async def _call(self, method: str, path: str, body: Json | None = None) -> Any:  # noqa: ANN401 -- JSON of many shapes
        answer = await self._api.request(method, path, json=body)
        if answer.is_error:
            raise DeployError(f"{method} {path} answered {answer.status_code}: {_detail(answer)}")
        return answer.json()


def pan(width: int, height: int, frames: int) -> list[Json]:
    """Two crop keyframes of the largest 9:16 rectangle: from the left third of the picture to the right third."""
    crop_height = float(height) if height * 9 <= width * 16 else width * 16 / 9
    crop_width = crop_height * 9 / 16
    room_x, room_y = width - crop_width, height - crop_height
    places = ((0, room_x / 3), (max(frames - 1, 1), room_x * 2 / 3))
    return [
        {"frame": frame, "x": x, "y": room_y / 2, "width": crop_width, "height": crop_height}
        for frame, x in places
        if frame < frames
    ]


async def _poll(probe: Callable[[], Any], timeout_s: float) -> AsyncIterator[Json]:
    for attempt in range(math.ceil(timeout_s / 0.25)):
        if attempt:
            await asyncio.sleep(0.25)
        yield await probe()


def _read(video: Path, offset: int, size: int) -> bytes:
    with video.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _content_type(video: Path) -> str:
    kinds = {".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm", ".avi": "video/x-msvideo"}
    return kinds.get(video.suffix.lower(), "video/mp4")


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(problem.get("detail") or problem.get("title") or problem)
