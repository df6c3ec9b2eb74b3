"""A short recording, made here, through upload and probe to something that can be exported."""

import asyncio
import sys

from infra.deploy.errors import DeployError
from infra.deploy.journey.edit import make_clip
from infra.deploy.journey.upload import ready, send, start_upload
from infra.deploy.process import run
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import Visit

SECONDS, WIDTH, HEIGHT = 2, 640, 360
MAKING_TIMEOUT_S = 120
PROBE_TIMEOUT_S = 300


def checks(visit: Visit) -> list[Check]:
    stored = ("identity", "leftovers", "readiness")
    return [
        Check("recording", lambda: make(visit), stored),
        Check("upload", lambda: upload(visit), ("recording",)),
        Check("probe", lambda: probe(visit), ("upload",)),
        Check("clip", lambda: clip(visit), ("probe",)),
    ]


async def make(visit: Visit) -> str:
    command = [sys.executable, "-m", "gpu.sample", str(visit.recording)]
    options = ["--seconds", str(SECONDS), "--size", f"{WIDTH}x{HEIGHT}"]
    await asyncio.to_thread(run, [*command, *options], timeout_s=MAKING_TIMEOUT_S, quiet=True)
    return f"{SECONDS} s of {WIDTH}x{HEIGHT}, {visit.recording.stat().st_size} bytes"


async def upload(visit: Visit) -> str:
    size = visit.recording.stat().st_size
    started = await start_upload(visit.api, visit.recording.name, "video/mp4", size)
    visit.made.media = await send(visit.api, visit.recording, started)
    return f"{size} bytes in {started['upload']['part_count']} part(s)"


async def probe(visit: Visit) -> str:
    visit.made.media = media = await ready(visit.api, visit.made.media["id"], PROBE_TIMEOUT_S)
    found = (media["probe"]["width"], media["probe"]["height"])
    if found != (WIDTH, HEIGHT):
        raise DeployError(f"the recording of {WIDTH}x{HEIGHT} was read as {found[0]}x{found[1]}")
    return f"{media['probe']['frame_count']} frames of {found[0]}x{found[1]}"


async def clip(visit: Visit) -> str:
    visit.made.clip = await make_clip(visit.api, visit.made.media, SECONDS)
    return f"a game and a clip of {visit.made.clip['out_frame']} frames"
