"""Exports under way, made over the public API as the page makes them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx

OPPONENT = "City"
VIDEO = b"not really a video" * 3
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Export:
    """An export under way, its owner, and the recording that it is cut from."""

    id: str
    user: str
    media_id: str


async def begin_export(url: str, user: str) -> Export:
    """Uploads a recording, cuts a clip, makes a project and asks for its export."""
    async with httpx.AsyncClient(base_url=url, headers={"X-User-ID": user}, timeout=PATIENCE_S) as client:
        media = await _upload(client)
        day = {"opponent": OPPONENT, "played_on": "2026-09-12", "venue": "home", "media_ids": [media["id"]]}
        game = await _post(client, "/api/games", day)
        cut = {"game_id": game["id"], "media_id": media["id"], "in_frame": 0, "out_frame": 600, "rating": 5}
        clip = await _post(client, "/api/clips", cut)
        goal = {"name": "Goal", "aspect_ratio": "9:16", "clip_ids": [clip["id"]]}
        project = await _post(client, "/api/projects", goal)
        export = await _post(client, "/api/exports", {"kind": "framing", "project_id": project["id"]})
        return Export(export["id"], user, media["id"])


async def _upload(client: httpx.AsyncClient) -> dict[str, Any]:
    new = {"filename": "match.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}
    started = await _post(client, "/api/media", new)
    (part,) = started["upload"]["parts"]
    async with httpx.AsyncClient(timeout=PATIENCE_S) as browser:
        sent = await browser.put(part["url"], content=VIDEO)
    parts = [{"part_number": 1, "etag": sent.headers["etag"]}]
    media: dict[str, Any] = await _post(client, f"/api/media/{started['media']['id']}/complete", {"parts": parts})
    deadline = time.monotonic() + PATIENCE_S
    while media["status"] != "ready":
        assert time.monotonic() < deadline, media
        await asyncio.sleep(0.05)
        media = (await client.get(f"/api/media/{media['id']}")).json()
    return media


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    made: dict[str, Any] = answer.json()
    return made
