"""The main job from end to end, with a line for each thing worth seeing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.deploy.journey.client import Api, Caller, Json
from infra.deploy.journey.download import download
from infra.deploy.journey.edit import make_clip, make_project
from infra.deploy.journey.progress import completed, follow
from infra.deploy.journey.upload import content_type, ready, send, start_upload

CLIP_SECONDS = 6


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
    """One user's way through the product, against a backend that believes who it is."""

    def __init__(self, api_url: str, user: str, say: Callable[[str], None]) -> None:
        self._api = Api(api_url, Caller.named(user))
        self._say = say
        self._seconds: dict[str, float] = {}

    async def run(self, video: Path, target: Path) -> Reel:
        """Upload `video`, render its first seconds as a 9:16 reel and store that at `target`; raises DeployError."""
        async with self._api:
            with self._timed("upload"):
                media = await self._upload(video)
            with self._timed("probe"):
                media = await ready(self._api, media["id"])
            with self._timed("edit"):
                project = await make_project(self._api, media, await make_clip(self._api, media, CLIP_SECONDS))
            with self._timed("export"):
                reel_id = await self._export(project["id"])
            with self._timed("download"):
                reel = await download(self._api, reel_id, target)
        facts = {name: reel[name] for name in ("size_bytes", "frame_count", "width", "height", "duration_ms")}
        return Reel(path=target, seconds=self._seconds, **facts)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._seconds[step] = time.perf_counter() - begun
        self._say(f"{step}: {self._seconds[step]:.1f} s")

    async def _upload(self, video: Path) -> Json:
        size = video.stat().st_size
        started = await start_upload(self._api, video.name, content_type(video), size)
        self._say(f"uploading {video.name}, {size / 1e6:.1f} MB in {started['upload']['part_count']} part(s)")
        return await send(self._api, video, started)

    async def _export(self, project_id: str) -> str:
        job = await self._api.call("POST", "/api/exports", {"kind": "framing", "project_id": project_id})
        shown = -1
        async for export in follow(self._api, job["id"], self._say):
            quarter = int(export["progress_percent"] // 25)
            if quarter > shown:
                shown = quarter
                self._say(f"rendering: {export['frames_done']} of {export['frames_total'] or '?'} frames")
            job = export
        return completed(job)
