"""make up: local cloud, stack, and one real reel. A second run changes nothing and says so."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from infra.deploy.journey import Journey, Reel
from infra.local import cloud
from infra.local.apply import apply
from infra.local.console import heading, say, table
from infra.local.paths import PYTHON, REELS, REPORT, SAMPLE, shown
from infra.sources import ROOT

SAMPLE_SECONDS = 30
USER = "a"


class SampleError(Exception):
    """The sample recording was not made; its last words are on standard error."""


def up(video: Path | None) -> None:
    """Raises the errors of its steps; each may simply be run again."""
    begun = time.perf_counter()
    sample = None if video else _begin_sample()
    heading("local cloud")
    started = cloud.ensure()
    say("started" if started else "already running")
    heading("stack")
    outputs, changed = apply()
    if not changed and video is None and _report_stands(outputs):
        report = json.loads(REPORT.read_text())
        heading(f"nothing changed ({time.perf_counter() - begun:.1f} s)")
        say(f"the reel of the last run: {report['path']}, {report['frame_count']} frames")
        return
    heading("one real reel")
    recording = video or _end_sample(sample)
    reel = asyncio.run(Journey(outputs["api_url"], USER, say).run(recording, REELS / f"{recording.stem}-9x16.mp4"))
    _write_report(reel, outputs)
    heading(f"done ({time.perf_counter() - begun:.1f} s)")
    _show(reel, outputs)


def _begin_sample() -> "subprocess.Popen[bytes] | None":
    """The sample is made while the stack is applied: both mostly wait for the other core."""
    if SAMPLE.exists():
        return None
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    command = [str(PYTHON), "-m", "gpu.sample", str(SAMPLE), "--seconds", str(SAMPLE_SECONDS)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)


def _end_sample(process: "subprocess.Popen[bytes] | None") -> Path:
    if process and process.wait() != 0:
        raise SampleError(f"the sample recording was not made (exit status {process.returncode})")
    return SAMPLE


def _write_report(reel: Reel, outputs: dict[str, Any]) -> None:
    report = {"path": shown(reel.path), "frame_count": reel.frame_count, "image": outputs["image"]}
    REPORT.write_text(json.dumps(report) + "\n")


def _report_stands(outputs: dict[str, Any]) -> bool:
    """Whether the last run got as far as a reel with what is deployed now."""
    if not REPORT.exists():
        return False
    report = json.loads(REPORT.read_text())
    return bool(report["image"] == outputs["image"]) and (ROOT / report["path"]).exists()


def _show(reel: Reel, outputs: dict[str, Any]) -> None:
    table(
        {
            "reel": shown(reel.path),
            "size": f"{reel.size_bytes / 1e6:.1f} MB",
            "picture": f"{reel.width}x{reel.height}",
            "frames": f"{reel.frame_count} ({reel.duration_ms / 1000:.2f} s)",
            **{f"step: {step}": f"{seconds:.1f} s" for step, seconds in reel.seconds.items()},
        }
    )
    say(f"open {outputs['app_url']} and render your own; `make down` stops everything")
