"""Frames a second of following players through a 1080p recording: RF-DETR and ByteTrack, decoding included.

The network's weights are random, which changes nothing of the detector's speed; it finds next to nothing to track.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from gpu.render.engines.gpu_probe import Gpu
from gpu.sample.writer import write_sample
from gpu.track.bytetrack import ByteTracker
from gpu.track.follow import Search, follow
from gpu.track.rfdetr import RfDetrDetector

SECONDS = 10
RATE = 30


def figures(gpu: Gpu) -> Iterator[Figure]:
    """The baseline is the recording's own rate; there is no limit."""
    detector = RfDetrDetector("nano", None, "random")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        clip = Path(scratch) / "clip.mp4"
        write_sample(clip, SECONDS)
        _seconds(clip, 1, detector)  # loads CUDA's kernels
        taken = _seconds(clip, SECONDS * RATE, detector)
    yield Figure("tracking 1080p, RF-DETR nano", SECONDS * RATE / taken, "fps", RATE, 0, at_most=False)


def _seconds(clip: Path, frames: int, detector: RfDetrDetector) -> float:
    begun = time.perf_counter()
    with clip.open("rb") as file:
        follow(file, Search(0, frames), detector, ByteTracker)
    return time.perf_counter() - begun
