"""Changes the matrix and the range of eight-bit yuv420p pictures to those of bt709 and TV, to the nearest code.

swscale would do it too, but takes Y 1.7 codes too dark, or twice the time with the flags that make it exact.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from gpu.render.plane import samples

LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
"""Weights of red and blue in Y' by number of ITU-T H.273, table 4."""
BT709, BT601, BT2020 = 1, 6, 9
_FINE = 64
"""Parts of a code in which what the chroma adds to Y is spread over the picture."""

Matrix = npt.NDArray[np.float64]


def to_bt709(frame: VideoFrame, matrix: int, full: bool) -> VideoFrame:
    """A new picture with the timestamp of `frame`, which is yuv420p or yuvj420p; `matrix` is a key of LUMA."""
    (from_y, *to_y), *to_chroma = _change(matrix, full).tolist()
    y, cb, cr = (samples(plane, np.uint8) for plane in frame.planes)
    target = VideoFrame(frame.width, frame.height, "yuv420p")
    targets = [samples(plane, np.uint8) for plane in target.planes]
    added = cv2.addWeighted(cb, to_y[0] * _FINE, cr, to_y[1] * _FINE, to_y[2] * _FINE, dtype=cv2.CV_16S)
    spread = cv2.resize(added, (2 * cb.shape[1], 2 * cb.shape[0]), interpolation=cv2.INTER_LINEAR)
    cv2.addWeighted(y, from_y, spread[: y.shape[0], : y.shape[1]], 1 / _FINE, 0, targets[0], cv2.CV_8U)
    for (_, from_cb, from_cr, offset), plane in zip(to_chroma, targets[1:], strict=True):
        cv2.addWeighted(cb, from_cb, cr, from_cr, offset, plane, cv2.CV_8U)
    target.pts = frame.pts
    if frame.time_base is not None:
        target.time_base = frame.time_base
    return target


@lru_cache(16)
def _change(matrix: int, full: bool) -> Matrix:
    """3 x 4, from the codes Y, Cb, Cr and 1 to codes of bt709 in TV range."""
    scale, offset = (np.full(3, 255.0), np.array([0.0, 128, 128])) if full else _TV_RANGE
    tv_scale, tv_offset = _TV_RANGE
    linear = np.linalg.inv(_rgb_of(BT709)) @ _rgb_of(matrix)
    linear = tv_scale[:, None] * linear / scale
    return np.column_stack([linear, tv_offset - linear @ offset])


_TV_RANGE = (np.array([219.0, 224, 224]), np.array([16.0, 128, 128]))


def _rgb_of(matrix: int) -> Matrix:
    """R'G'B' = this @ Y'CbCr, with Cb and Cr from -0.5 to 0.5."""
    red, blue = LUMA[matrix]
    green = 1 - red - blue
    from_cb, from_cr = 2 * (1 - blue), 2 * (1 - red)
    return np.array([[1, 0, from_cr], [1, -blue * from_cb / green, -red * from_cr / green], [1, from_cb, 0]])
