"""The clip that renders are measured on, and their limit: FFmpeg decodes and encodes it, nothing between."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg

from gpu.contract import RenderKind
from gpu.plan.spec import EditSpec
from gpu.render.produce import produce
from gpu.render.sources import LocalSources
from gpu.render.writer import CRF
from gpu.sample.writer import write_sample

SECONDS = 12
"""A clip of a game, as it usually is."""
FRAMES = SECONDS * 30


@contextmanager
def recording(width: int = 1920, height: int = 1080, seconds: float = SECONDS) -> Iterator[Path]:
    """A made-up match in a folder that is gone afterwards; results go beside it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        clip = Path(scratch) / "clip.mp4"
        write_sample(clip, seconds, width=width, height=height)
        yield clip


def in_turn(runs: int, *works: Callable[[], object]) -> list[list[float]]:
    """Wall seconds of each work, `runs` times, one after the other so that noise falls on all of them."""
    return [list(each) for each in zip(*([_seconds(work) for work in works] for _ in range(runs)), strict=True)]


def render(kind: RenderKind, clip: Path, spec: EditSpec) -> Path:
    out = clip.with_name("out.mp4")
    produce(LocalSources([clip]), kind, spec, out, lambda progress: None)
    return out


def transcode(clip: Path, filters: str = "null", crf: int = CRF) -> Path:
    """Decode, x264 veryfast and the sound as it is, with as many threads as FFmpeg likes."""
    out = clip.with_name("limit.mp4")
    encoder = ["-vf", filters, "-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-c:a", "copy"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(clip), *encoder, str(out)]
    subprocess.run(command, check=True)
    return out


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
