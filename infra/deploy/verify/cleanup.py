"""Empties the library of the user that verification is: before a run, what a killed one left, and afterwards its own.

In the order of the references: reels, exports, projects, clips, games, media. What is gone already is fine.
"""

from functools import partial

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import ApiError, Json
from infra.deploy.journey.progress import FINAL
from infra.deploy.journey.upload import poll
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import Visit

ROOMS = ("reels", "exports", "projects", "games", "media")
BYTES_TIMEOUT_S = 90.0


def before(visit: Visit) -> Check:
    return Check("leftovers", lambda: leftovers(visit), ("identity", "readiness"))


def after(visit: Visit) -> Check:
    return Check("cleanup", lambda: cleanup(visit), ("identity", "readiness"))


async def leftovers(visit: Visit) -> str:
    removed = await _empty(visit)
    return f"{removed} of an earlier run removed" if removed else "none"


async def cleanup(visit: Visit) -> str:
    removed = await _empty(visit)
    left = [f"{len(found)} {room}" for room in ROOMS if (found := await _items(visit, f"/api/{room}"))]
    if left:
        raise DeployError(f"still there after the clean-up: {', '.join(left)}")
    await _await_gone(visit)
    return f"{removed} rows and {len(visit.made.links)} files removed"


async def _empty(visit: Visit) -> int:
    """How much there was."""
    reels = await _items(visit, "/api/reels")
    media = await _items(visit, "/api/media")
    await _note_links(visit, reels, media)
    removed = await _delete_all(visit, "reels", reels)
    exports = await _items(visit, "/api/exports")
    for export in exports:
        if export["status"] not in FINAL:
            await _tolerantly(visit, "POST", f"/api/exports/{export['id']}/cancel", 409)
    # An export that was cancelled too late has made a reel by now.
    late = await _items(visit, "/api/reels")
    await _note_links(visit, late, [])
    removed += await _delete_all(visit, "reels", late)
    removed += await _delete_all(visit, "exports", exports)
    removed += await _delete_all(visit, "projects", await _items(visit, "/api/projects"))
    games = await _items(visit, "/api/games")
    for game in games:
        removed += await _delete_all(visit, "clips", await _items(visit, f"/api/games/{game['id']}/clips"))
    removed += await _delete_all(visit, "games", games)
    return removed + await _delete_all(visit, "media", media)


async def _note_links(visit: Visit, reels: list[Json], media: list[Json]) -> None:
    """URLs of the bytes while the rows can still give them: afterwards they must lead nowhere."""
    paths = [f"/api/reels/{reel['id']}/download" for reel in reels]
    paths += [f"/api/media/{each['id']}/url" for each in media if each["status"] in ("probing", "ready", "failed")]
    for path in paths:
        visit.made.links.add(str((await visit.api.call("GET", path))["url"]))


async def _await_gone(visit: Visit) -> None:
    """Files go a moment after their rows."""
    for link in sorted(visit.made.links):
        status = 0
        async for status in poll(partial(_status, visit, link), BYTES_TIMEOUT_S):
            if status == httpx.codes.NOT_FOUND:
                break
        else:
            raise DeployError(f"a file of a deleted row is still there: the bucket answers {status}")


async def _status(visit: Visit, link: str) -> int:
    return (await visit.web.get(link, headers={"Range": "bytes=0-0"})).status_code


async def _items(visit: Visit, path: str) -> list[Json]:
    found: list[Json] = (await visit.api.call("GET", path))["items"]
    return found


async def _delete_all(visit: Visit, room: str, items: list[Json]) -> int:
    for item in items:
        await _tolerantly(visit, "DELETE", f"/api/{room}/{item['id']}", 404)
    return len(items)


async def _tolerantly(visit: Visit, method: str, path: str, fine: int) -> None:
    try:
        await visit.api.call(method, path)
    except ApiError as error:
        if error.status != fine:
            raise
