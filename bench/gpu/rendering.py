"""The nvdec engine's frames a second against decoding and encoding alone: FFmpeg on the same decoder and encoder.

Where the card has no NVENC, both encode with x264, whose threads are as many as the engine's parts.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from gpu.plan import compile_plan
from gpu.plan.geometry import Size
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize
from gpu.render.engines import nvdec
from gpu.render.engines.ffmpeg_program import find_program
from gpu.render.engines.gpu_probe import Gpu
from gpu.render.engines.nvdec import Machine
from gpu.render.engines.nvenc_writer import OPTIONS
from gpu.render.parts import MOST_PARTS
from gpu.render.produce import probe_file
from gpu.render.sources import LocalSources
from gpu.render.writer import CRF
from gpu.sample.writer import write_sample

RUNS = 3
SECONDS = 10
RATE = 30
SIZES = {"1080p": Size(1920, 1080), "4K": Size(3840, 2160)}
SLOWEST_PART = 0.7


def figures(gpu: Gpu) -> Iterator[Figure]:
    """A crop that pans and zooms, at the source's size, without sound; medians of runs in turn with the baseline."""
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            clip, out = Path(scratch) / "clip.mp4", Path(scratch) / "out.mp4"
            write_sample(clip, SECONDS, width=size.width, height=size.height)
            _render(clip, out, size, gpu)  # the first one loads CUDA's kernels
            pairs = [(_render(clip, out, size, gpu), _transcode(clip, out, gpu)) for _ in range(RUNS)]
        value, baseline = (SECONDS * RATE / statistics.median(each) for each in zip(*pairs, strict=True))
        yield Figure(f"nvdec engine, {name}, {gpu.encoder}", value, "fps", baseline, SLOWEST_PART, at_most=False)


def _render(clip: Path, out: Path, size: Size, gpu: Gpu) -> float:
    last = SECONDS * RATE - 1
    width, height = size.width * 0.8, size.height * 0.8
    keys = (
        CropKeyframe(frame=0, x=0, y=0, width=size.width, height=size.height),
        CropKeyframe(frame=last, x=size.width - width - 10.5, y=10.5, width=width, height=height),
    )
    output = OutputSize(width=size.width, height=size.height)
    spec = EditSpec.of_clip(0, last + 1, crop_keyframes=keys, size=output, audio=False)
    with clip.open("rb") as file:
        plan = compile_plan(spec, probe_file(file))
    begun = time.perf_counter()
    nvdec.render(plan, LocalSources([clip]), out, lambda _: None, Machine.of(gpu))
    return time.perf_counter() - begun


def _transcode(clip: Path, out: Path, gpu: Gpu) -> float:
    hardware = ["-hwaccel", "cuda"]
    if gpu.encoder == "h264_nvenc":
        hardware += ["-hwaccel_output_format", "cuda"]
        options = [word for name, value in OPTIONS.items() for word in (f"-{name}", value)]
    else:
        options = ["-preset", "veryfast", "-crf", str(CRF), "-threads", str(MOST_PARTS)]
    program = [str(find_program()), "-v", "error", "-y", *hardware, "-i", str(clip), "-an"]
    begun = time.perf_counter()
    subprocess.run([*program, "-c:v", gpu.encoder, *options, str(out)], check=True)
    return time.perf_counter() - begun
