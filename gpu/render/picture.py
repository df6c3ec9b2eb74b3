"""Pictures as the encoder wants them: yuv420p, bt709, TV range. Most sources are already, and pass untouched."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace

from gpu.plan.geometry import Size

PIXEL_FORMAT = "yuv420p"
BT709 = 1
TV_RANGE = 1
_FULL_RANGE = 2
_LARGEST_SD = Size(1024, 576)
_MATRICES = {
    BT709: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""swscale's names of the matrix coefficients in ITU-T H.273, table 4."""

Plane = npt.NDArray[np.uint8]


class Planes(NamedTuple):
    """Views on a yuv420p picture's planes: writing to them writes the picture."""

    y: Plane
    u: Plane
    v: Plane


def normalised(frame: VideoFrame) -> VideoFrame:
    """The same picture as yuv420p, bt709, TV range; the frame itself if it is that already."""
    matrix = _matrix(frame)
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    if frame.format.name == PIXEL_FORMAT and matrix == Colorspace.ITU709 and not full:
        return frame
    return frame.reformat(
        format=PIXEL_FORMAT,
        src_colorspace=matrix,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )


def planes(frame: VideoFrame) -> Planes:
    """Views on the planes of a yuv420p frame, of its size for Y and half of it, rounded up, for U and V."""
    width, height = frame.width, frame.height
    half = (width + 1) // 2, (height + 1) // 2
    y, u, v = frame.planes
    return Planes(_view(y, width, height), _view(u, *half), _view(v, *half))


def _view(plane: VideoPlane, width: int, height: int) -> Plane:
    memory = memoryview(plane)
    return np.frombuffer(memory, np.uint8).reshape(-1, plane.line_size)[:height, :width]


def _matrix(frame: VideoFrame) -> Colorspace:
    """An untagged picture counts as bt601 up to the size of SD video, as players take it."""
    if frame.colorspace in _MATRICES:
        return _MATRICES[frame.colorspace]
    small = frame.width <= _LARGEST_SD.width and frame.height <= _LARGEST_SD.height
    return Colorspace.ITU601 if small and not frame.format.is_rgb else Colorspace.ITU709
