"""One export of each kind: it completes, a socket tells its progress, and its reel is the video it claims to be."""

import asyncio
import hashlib
import json

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Json
from infra.deploy.journey.download import download
from infra.deploy.journey.progress import FINAL, completed
from infra.deploy.journey.upload import poll
from infra.deploy.verify import kinds, sockets
from infra.deploy.verify.mp4 import read_mp4
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import LAST_WORD_S, Visit

EXPORT_TIMEOUT_S = 900.0
KINDS = "export kinds"


def kinds_check(visit: Visit) -> Check:
    return Check(KINDS, lambda: ask_kinds(visit), ("health",))


def checks(visit: Visit) -> list[Check]:
    """Rows for the kinds that were found by then."""
    return [check for kind in visit.made.kinds for check in _of_kind(visit, kind)]


def _of_kind(visit: Visit, kind: str) -> list[Check]:
    if kind not in kinds.REQUESTS:
        return [Check(f"export {kind}", lambda: _unknown(kind))]
    download = Check(f"download {kind}", lambda: fetch(visit, kind), (f"export {kind}",))
    return [render_check(visit, kind), progress_check(visit, kind), download]


def render_check(visit: Visit, kind: str) -> Check:
    return Check(f"export {kind}", lambda: render(visit, kind), ("clip",))


def progress_check(visit: Visit, kind: str) -> Check:
    return Check(f"progress {kind}", lambda: progress(visit, kind), (sockets.OWN, f"export {kind}"))


async def ask_kinds(visit: Visit) -> str:
    visit.made.kinds = kinds.offered((await visit.get(f"{visit.outputs.api_url}/api/openapi.json")).json())
    return ", ".join(visit.made.kinds)


async def _unknown(kind: str) -> str:
    raise DeployError(
        f"the API offers {kind} exports, which verify cannot ask for: add it to infra/deploy/verify/kinds.py"
    )


async def render(visit: Visit, kind: str) -> str:
    """Told by the API's answers, so that a broken socket is a row of its own."""
    body = await kinds.REQUESTS[kind](visit)
    visit.made.jobs[kind] = job = await visit.api.call("POST", "/api/exports", body)
    listening = asyncio.create_task(_listen(visit, job["id"]))
    visit.listeners[kind] = listening
    async for state in poll(lambda: visit.api.call("GET", f"/api/exports/{job['id']}"), EXPORT_TIMEOUT_S):
        if state["status"] in FINAL:
            visit.made.reels[kind] = reel_id = completed(state)
            return f"{reel_id}, {state['frames_done']} frames"
    raise DeployError(f"{kind} export {job['id']} did not end within {EXPORT_TIMEOUT_S:.0f} s")


async def progress(visit: Visit, kind: str) -> str:
    """A snapshot first, frames that never fall, and `complete` as the last word."""
    heard = await asyncio.wait_for(visit.listeners[kind], LAST_WORD_S)
    if not heard or heard[0]["type"] != "snapshot":
        raise DeployError(f"the socket of {kind} export began with {heard[:1]}, not with a snapshot")
    if heard[-1]["type"] != "complete":
        raise DeployError(f"the socket of {kind} export ended with {heard[-1]['type']}, not with complete")
    frames = [message["export"]["frames_done"] for message in heard]
    if frames != sorted(frames):
        raise DeployError(f"the frames of {kind} export fell: {frames}")
    return f"{len(heard)} messages, {frames[0]} to {frames[-1]} frames"


async def _listen(visit: Visit, export_id: str) -> list[Json]:
    async with visit.api.socket(f"/ws/export/{export_id}", visit.outputs.app_url) as socket:
        return [json.loads(text) async for text in socket]


async def fetch(visit: Visit, kind: str) -> str:
    target = visit.scratch / f"{kind}.mp4"
    reel = await download(visit.api, visit.made.reels[kind], target)
    content = target.read_bytes()
    if hashlib.sha256(content).hexdigest() != reel["sha256"]:
        raise DeployError(f"the {len(content)} bytes that arrived are not those of reel {reel['id']}")
    video = read_mp4(content)
    claimed = (reel["frame_count"], reel["width"], reel["height"])
    if (video.frames, video.width, video.height) != claimed:
        raise DeployError(f"the file has {video}, the reel claims {claimed[0]} frames of {claimed[1]}x{claimed[2]}")
    wanted = visit.made.clip["out_frame"] - visit.made.clip["in_frame"]
    if video.frames != wanted:
        raise DeployError(f"the reel has {video.frames} frames, its clip {wanted}")
    return f"a reel of {video}, {len(content)} bytes"
