"""A recording into the bucket, part by part, and through the probe."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Api, Json

T = TypeVar("T")
PARALLEL_PARTS = 4
PART_URLS_AT_ONCE = 100
MEDIA_TIMEOUT_S = 120.0
POLL_S = 0.25


async def start_upload(api: Api, filename: str, content_type: str, size_bytes: int) -> Json:
    """`media` and `upload` with the URLs of all parts."""
    body = {"filename": filename, "content_type": content_type, "size_bytes": size_bytes}
    started: Json = await api.call("POST", "/api/media", body)
    upload = started["upload"]
    known = {part["part_number"] for part in upload["parts"]}
    missing = [number for number in range(1, upload["part_count"] + 1) if number not in known]
    for start in range(0, len(missing), PART_URLS_AT_ONCE):
        wanted = {"part_numbers": missing[start : start + PART_URLS_AT_ONCE]}
        upload["parts"] += (await api.call("POST", f"/api/media/{started['media']['id']}/part-urls", wanted))["parts"]
    return started


async def send(api: Api, video: Path, started: Json) -> Json:
    """Put all parts of the file and join them; the media, not probed yet."""
    upload = started["upload"]
    gate = asyncio.Semaphore(PARALLEL_PARTS)
    parts = sorted(upload["parts"], key=lambda part: int(part["part_number"]))
    sent = await asyncio.gather(*(_put(api, gate, video, part, upload["part_size_bytes"]) for part in parts))
    done: Json = await api.call("POST", f"/api/media/{started['media']['id']}/complete", {"parts": sent})
    return done


async def ready(api: Api, media_id: str, timeout_s: float = MEDIA_TIMEOUT_S) -> Json:
    """The media once it is probed; raises DeployError for a recording that cannot be used."""
    media: Json
    async for media in poll(lambda: api.call("GET", f"/api/media/{media_id}"), timeout_s):
        if media["status"] == "ready":
            return media
        if media["status"] in ("failed", "expired"):
            raise DeployError(f"the recording cannot be used: {media['error'] or media['status']}")
    raise DeployError(f"the recording was not read within {timeout_s:.0f} s")


async def poll(probe: Callable[[], Awaitable[T]], timeout_s: float) -> AsyncIterator[T]:
    """What `probe` answers, each quarter of a second, until the time is up."""
    for attempt in range(math.ceil(timeout_s / POLL_S)):
        if attempt:
            await asyncio.sleep(POLL_S)
        yield await probe()


def content_type(video: Path) -> str:
    kinds = {".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm", ".avi": "video/x-msvideo"}
    return kinds.get(video.suffix.lower(), "video/mp4")


async def _put(api: Api, gate: asyncio.Semaphore, video: Path, part: Json, part_size: int) -> Json:
    async with gate:
        content = await asyncio.to_thread(_read, video, (part["part_number"] - 1) * part_size, part["size_bytes"])
        answer = await api.bucket.put(part["url"], content=content)
    if answer.status_code != 200:
        raise DeployError(f"the bucket answered {answer.status_code} to part {part['part_number']}")
    return {"part_number": part["part_number"], "etag": answer.headers["etag"]}


def _read(video: Path, offset: int, size: int) -> bytes:
    with video.open("rb") as file:
        file.seek(offset)
        return file.read(size)
