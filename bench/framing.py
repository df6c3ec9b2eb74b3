"""Framing against the fastest that a CPU could do: FFmpeg decodes and encodes the same clip, nothing between."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg

from bench.figure import Figure
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize
from gpu.render.produce import produce
from gpu.render.writer import CRF
from gpu.sample.writer import write_sample

RUNS = 3
SECONDS = 4
FRAMES = SECONDS * 30
SLOWEST_PART = 0.6
SPEC = EditSpec(
    in_frame=0,
    out_frame=FRAMES,
    crop_keyframes=(
        CropKeyframe(frame=0, x=100, y=0, width=607.5, height=1080),
        CropKeyframe(frame=FRAMES - 1, x=1300.5, y=120, width=472.5, height=840),
    ),
    size=OutputSize(width=1080, height=1920),
)


def figures() -> Iterator[Figure]:
    """Frames a second of a 9:16 crop that pans and zooms, with sound; medians of runs in turn with the baseline."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        clip, out = Path(scratch) / "clip.mp4", Path(scratch) / "out.mp4"
        write_sample(clip, SECONDS)
        pairs = [(_framing(clip, out), _transcoding(clip, out)) for _ in range(RUNS)]
    value, baseline = (FRAMES / statistics.median(each) for each in zip(*pairs, strict=True))
    yield Figure("framing 1080p to 1080x1920", value, "fps", baseline, limit=SLOWEST_PART, at_most=False)


def _framing(clip: Path, out: Path) -> float:
    begun = time.perf_counter()
    with clip.open("rb") as file:
        produce(file, "framing", SPEC, out, lambda progress: None)
    return time.perf_counter() - begun


def _transcoding(clip: Path, out: Path) -> float:
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF), "-threads", "4"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(clip), "-an", *encoder, str(out)]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
