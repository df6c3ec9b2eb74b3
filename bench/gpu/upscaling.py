"""Upscaling by 4 to 1080p with the two networks of Real-ESRGAN, in fp16 and in batches.

Speed does not depend on the weights, so they are random: the bench needs no download. The peak is measured as well, by
multiplying large matrices in fp16, so that no table of cards is needed.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.figure import Figure
from gpu.plan.geometry import Size
from gpu.render.engines.gpu_probe import Gpu
from gpu.upscale.spandrel_model import SpandrelUpscaler, Tuning
from gpu.weights.libraries import library

PUBLISHED_FPS = 1.47
"""Real-ESRGAN x4 on a T4, as the same product publishes it."""
LEAST_TIMES = 10
BATCHES = {"Compact": (8, 8), "RRDB": (2, 4)}
"""Pictures at once, and how often."""
_PURPOSE = "the bench of upscaling"
_MATRIX = 8192
_PRODUCTS = 20
_SOURCE, _RESULT = Size(480, 270), Size(1920, 1080)


def figures(gpu: Gpu) -> Iterator[Figure]:
    """Frames a second of each network, and what share of the card's measured fp16 peak that is."""
    peak = _peak()
    for name, network in _networks():
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            weights = Path(scratch) / "random.pth"
            library("torch", _PURPOSE).save(network().state_dict(), weights)
            pictures, times = BATCHES[name]
            upscaler = SpandrelUpscaler(weights, "random", tuning=Tuning(batch=pictures))
        batch = np.random.default_rng(7).integers(0, 256, (pictures, _SOURCE.height, _SOURCE.width, 3), np.uint8)
        work = _operations(upscaler, batch)
        begun = time.perf_counter()
        for _ in range(times):
            upscaler.upscale(batch, _RESULT)
        fps = pictures * times / (time.perf_counter() - begun)
        kind = "fp16" if upscaler.half else "fp32"
        yield Figure(f"upscale x4 to 1080p, {name}, {kind}", fps, "fps", PUBLISHED_FPS, LEAST_TIMES, at_most=False)
        speed = fps * work / pictures / 1e12
        yield Figure(f"upscale x4 to 1080p, {name}, of the peak", speed, "Tflop/s", peak / 1e12, 0, at_most=False)


def _networks() -> Iterator[tuple[str, Callable[[], Any]]]:
    """As `realesr-general-x4v3` and `realesrgan-x4plus` are built."""
    library("spandrel", _PURPOSE)
    compact = library("spandrel.architectures.Compact", _PURPOSE)
    rrdb = library("spandrel.architectures.ESRGAN", _PURPOSE)
    yield "Compact", lambda: compact.Compact(num_feat=64, num_conv=32, upscale=4)
    yield "RRDB", lambda: rrdb.ESRGAN(num_filters=64, num_blocks=23, scale=4)


def _operations(upscaler: SpandrelUpscaler, batch: "np.ndarray[Any, np.dtype[np.uint8]]") -> float:
    """Floating-point operations of one call, by torch's own count; the call also warms up."""
    counter = library("torch.utils.flop_counter", _PURPOSE).FlopCounterMode(display=False)
    with counter:
        upscaler.upscale(batch, _RESULT)
    return float(counter.get_total_flops())


def _peak() -> float:
    """Operations a second of large products of matrices in fp16."""
    torch = library("torch", _PURPOSE)
    left, right = (torch.randn(_MATRIX, _MATRIX, device="cuda", dtype=torch.float16) for _ in range(2))
    for _ in range(3):
        left @ right
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(_PRODUCTS):
        left @ right
    torch.cuda.synchronize()
    return float(2 * _MATRIX**3 * _PRODUCTS / (time.perf_counter() - begun))
