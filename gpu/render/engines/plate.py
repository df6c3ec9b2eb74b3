"""What a caption does to a picture, as numbers: each sample becomes `sample * kept / 255 + added` inside the box.

Read from the reference painter by what it makes of a black and of a white picture, so that text is the same everywhere.
"""

from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame

from gpu.plan.geometry import Size
from gpu.plan.spec import Caption
from gpu.render.caption import Box, CaptionPainter
from gpu.render.picture import PIXEL_FORMAT, Plane, planes


class PlatePlane(NamedTuple):
    """One plane of a plate; `top` and `left` are in samples of that plane."""

    top: int
    left: int
    kept: Plane
    added: Plane


class Plate(NamedTuple):
    """`box` is in luma samples."""

    box: Box
    planes: tuple[PlatePlane, ...]


def plate(size: Size, caption: Caption) -> Plate | None:
    """None for a caption that shows nothing."""
    painter = CaptionPainter(size, caption)
    if painter.box is None:
        return None
    on_black, on_white = (_drawn(painter, size, level) for level in (0, 255))
    left, top, width, height = painter.box
    drawn = []
    for black, white, step in zip(on_black, on_white, (1, 2, 2), strict=True):
        part = np.s_[top // step : (top + height) // step, left // step : (left + width) // step]
        drawn.append(PlatePlane(top // step, left // step, white[part] - black[part], black[part].copy()))
    return Plate(painter.box, tuple(drawn))


def _drawn(painter: CaptionPainter, size: Size, level: int) -> tuple[Plane, ...]:
    picture = planes(VideoFrame(*size, PIXEL_FORMAT))
    for plane in picture:
        plane[:] = level
    painter.draw(picture)
    return picture
