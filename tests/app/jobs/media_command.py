"""Stands in for `python -m gpu.render`: speaks its protocol and does what the request's source URL says.

`http://x/<deed>`: ok, crash, no-response, misfit, slow, stubborn, orphaning, garbage, environment, fail.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

PROBE = {
    "width": 640,
    "height": 360,
    "rotation": 0,
    "fps_num": 30,
    "fps_den": 1,
    "frame_count": 90,
    "duration_ms": 3000,
    "video_codec": "h264",
    "pixel_format": "yuv420p",
}
RESULT = {
    "width": 1080,
    "height": 1920,
    "fps_num": 30,
    "fps_den": 1,
    "frame_count": 3,
    "duration_ms": 100,
    "audio_duration_ms": None,
    "size_bytes": 5,
    "sha256": "0" * 64,
    "engine": "scripted",
    "plan_sha256": "1" * 64,
}


def write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(kind: str, **values: object) -> None:
    write_line(json.dumps({"type": kind, **values}))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--request")
    parser.add_argument("--nice", type=int)
    options, request = parser.parse_args(), json.load(sys.stdin)
    os.nice(options.nice)
    url = request["source_url"] if "source_url" in request else request["source_urls"][0]
    parts = urlsplit(url)
    deed, note = parts.path.strip("/"), parts.fragment
    sys.stderr.write(f"working on {url}\n")
    if deed == "crash":
        return 3
    if deed == "no-response":
        return 0
    if deed == "misfit":
        say("response", something="else")
        return 0
    if deed == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if deed in ("slow", "stubborn", "orphaning"):
        child = subprocess.Popen(["sleep", "600"])
        Path(note).write_text(f"{os.getpid()} {child.pid} {os.getpriority(os.PRIO_PROCESS, 0)}")
        if deed == "orphaning":
            tempfile.mkdtemp()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)
    if deed == "garbage":
        write_line("this is no JSON")
        say("progress", phase="rendering", frames_done=-1, frames_total=3)
    if deed == "fail":
        say("response", error={"code": "not_a_video", "message": "the file is no video"})
        return 0
    if deed == "environment":
        say("response", error={"code": "internal", "message": json.dumps(sorted(os.environ))})
        return 0
    if options.request == "probe":
        say("response", info=PROBE)
    else:
        for done in (1, 2, 3):
            say("progress", phase="rendering", frames_done=done, frames_total=3)
        say("response", result=RESULT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
