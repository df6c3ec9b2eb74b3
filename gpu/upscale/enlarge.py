"""Writes a plan's pictures larger, batch by batch. Sound is not its matter."""

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from gpu.plan import RenderPlan
from gpu.plan.geometry import Size
from gpu.render.overlap import overlapped
from gpu.render.painter import FramePool, painted
from gpu.render.picture import PIXEL_FORMAT
from gpu.render.shelf import Shelf
from gpu.render.sources import Sources
from gpu.render.writer import PartWriter
from gpu.upscale.upscaler import RgbBatch, Upscaler

_BATCH = 4
"""Pictures enlarged at once; the network cuts them into tiles and takes as many of those as it likes."""


def enlarge(
    plan: RenderPlan,
    size: Size,
    upscaler: Upscaler,
    sources: Sources,
    path: Path,
    on_frame: Callable[[int], None],
) -> None:
    """Writes the plan's pictures at `size` to `path`; one process, so that a GPU has one user. Raises MediaFailure."""
    written = 0
    with (
        Shelf(sources) as shelf,
        overlapped(_batches(plan, shelf), 1, shelf.abort) as batches,
        PartWriter(path, size, plan.rate) as out,
    ):
        for batch in batches:
            for picture in upscaler.upscale(batch, size):
                out.add(_coded(picture))
                written += 1
                on_frame(written)


def _batches(plan: RenderPlan, shelf: Shelf) -> Generator[RgbBatch]:
    pool: FramePool = deque()
    batch: list[RgbBatch] = []
    for picture in painted(plan, range(plan.frame_count), shelf, pool):
        batch.append(_red_green_blue(picture))
        pool.append(picture)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _red_green_blue(frame: VideoFrame) -> RgbBatch:
    """A yuv420p, bt709, TV range picture as an array of shape (height, width, 3)."""
    coded = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return np.asarray(coded.to_ndarray(), np.uint8)


def _coded(picture: RgbBatch) -> VideoFrame:
    """The inverse of `_red_green_blue`."""
    return VideoFrame.from_ndarray(picture, "rgb24").reformat(
        format=PIXEL_FORMAT,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
