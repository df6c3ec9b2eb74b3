"""Pictures as the encoder wants them: yuv420p, bt709, TV range. Most sources are already, and pass untouched.

HDR is tonemapped. Wide colours of SDR (BT.2020 without PQ or HLG) are not mapped to bt709's: they come out paler.
"""

from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from gpu.plan.geometry import Size
from gpu.render.bt2100 import CURVES, PRIMARIES, Coding
from gpu.render.matrix import BT601, BT709, BT2020, LUMA, to_bt709
from gpu.render.plane import Plane, samples
from gpu.render.tonemap import tonemap

__all__ = ["BT709", "PIXEL_FORMAT", "TV_RANGE", "Plane", "Planes", "normalised", "planes"]
PIXEL_FORMAT = "yuv420p"
TV_RANGE = 1
_TEN_BITS = "yuv420p10le"
_FULL_RANGE = 2
_LARGEST_SD = Size(1024, 576)
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""swscale's names of the matrices."""
_EXACT = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
"""Without these swscale takes the colours of a changed matrix some codes too dark."""


class Planes(NamedTuple):
    """Views on a yuv420p picture's planes: writing to them writes the picture."""

    y: Plane
    u: Plane
    v: Plane


def normalised(frame: VideoFrame) -> VideoFrame:
    """The same picture as yuv420p, bt709, TV range; the frame itself if it is that already."""
    matrix = _matrix(frame)
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj") or frame.format.is_rgb
    if curve := CURVES.get(frame.color_trc):
        primaries = frame.color_primaries if frame.color_primaries in PRIMARIES else BT2020
        return tonemap(_ten_bits(frame, matrix, full), Coding(curve, primaries))
    if frame.format.is_rgb:
        return _reformatted(frame, PIXEL_FORMAT, (BT709, BT709), (full, False))
    if frame.format.name not in (PIXEL_FORMAT, "yuvj420p"):
        frame = _reformatted(frame, PIXEL_FORMAT, (matrix, matrix), (full, full))
    return frame if matrix == BT709 and not full else to_bt709(frame, matrix, full)


def planes(frame: VideoFrame) -> Planes:
    """Views on the planes of a yuv420p frame, of its size for Y and half of it, rounded up, for U and V."""
    return Planes(*(samples(plane, np.uint8) for plane in frame.planes))


def _ten_bits(frame: VideoFrame, matrix: int, full: bool) -> VideoFrame:
    if frame.format.name == _TEN_BITS and LUMA[matrix] == LUMA[BT2020] and not full:
        return frame
    return _reformatted(frame, _TEN_BITS, (matrix, BT2020), (full, False))


def _reformatted(
    frame: VideoFrame, pixel_format: str, matrices: tuple[int, int], full: tuple[bool, bool]
) -> VideoFrame:
    """Each pair is that of the source and that of the target."""
    source, target = (_MATRICES[matrix] for matrix in matrices)
    source_range, target_range = (ColorRange.JPEG if one else ColorRange.MPEG for one in full)
    return frame.reformat(
        format=pixel_format,
        src_colorspace=source,
        dst_colorspace=target,
        src_color_range=source_range,
        dst_color_range=target_range,
        interpolation=_EXACT,
        threads=1,
    )


def _matrix(frame: VideoFrame) -> int:
    """An untagged picture counts as BT.2020 in HDR, else as bt601 up to the size of SD video, as players take it."""
    if frame.colorspace in LUMA:
        return frame.colorspace
    if frame.color_trc in CURVES:
        return BT2020
    shorter, longer = sorted((frame.width, frame.height))
    small = longer <= _LARGEST_SD.width and shorter <= _LARGEST_SD.height
    return BT601 if small else BT709
