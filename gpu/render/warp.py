"""Draws the crop of a picture at the output's size: `src = x + (i + .5) * crop / out - .5` on each plane, linear.

Display rotation and pixel shape are part of the same affine map, so a turned video costs one pass too. Above a
reduction of 1.5 the plane is first averaged over whole blocks, on a grid that does not move with the crop.
"""

import math
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from gpu.plan.geometry import Rect, Size
from gpu.render.picture import Plane, planes
from gpu.render.scale import Axis, scaled

LARGEST_REDUCTION = 1.5
_EXACT = 1e-9

Matrix = npt.NDArray[np.float64]
_HALF: Matrix = np.array([[0, 0, 0.5], [0, 0, 0.5]])


class Warp:
    """Draws pictures of one size, with pixels `shape` times as wide as high.

    They are shown mirrored left to right if `mirrored`, then turned clockwise by `rotation`.
    """

    def __init__(self, stored: Size, rotation: int, shape: Fraction, output: Size, *, mirrored: bool = False) -> None:
        display = Size(round(stored.width * shape), stored.height)
        self._output = output
        self._turns = [
            _display_to_plane(display, rotation, mirrored, stored.width / display.width / step, 1 / step)
            for step in (1, 2, 2)
        ]

    def draw(self, source: VideoFrame, crop: Rect, target: VideoFrame) -> None:
        """Writes `crop` (display pixels) of a yuv420p frame over all of `target`, a yuv420p frame of output size."""
        for turn, plane, drawn in zip(self._turns, planes(source), planes(target), strict=True):
            scale_x, scale_y = crop.width / drawn.shape[1], crop.height / drawn.shape[0]
            place = np.array(
                [[scale_x, 0, crop.x + scale_x / 2], [0, scale_y, crop.y + scale_y / 2], [0, 0, 1]], np.float64
            )
            _draw_plane(plane, turn @ place, drawn)


def _display_to_plane(display: Size, rotation: int, mirrored: bool, scale_x: float, scale_y: float) -> Matrix:
    """2x3 map from a point in display pixels to a sample's index in a stored plane."""
    turned = {
        0: [[1, 0, 0], [0, 1, 0]],
        90: [[0, 1, 0], [-1, 0, display.height]],
        180: [[-1, 0, display.width], [0, -1, display.height]],
        270: [[0, -1, display.width], [1, 0, 0]],
    }[rotation]
    place = np.array(turned, np.float64)
    if mirrored:
        place[0] = [0, 0, display.width] - place[0]
    return np.array([[scale_x], [scale_y]]) * place - _HALF


def _draw_plane(plane: Plane, matrix: Matrix, drawn: Plane) -> None:
    """`matrix` maps an index of `drawn` to one of `plane`."""
    if _is_shift(matrix) and (part := _part(plane, matrix, drawn)) is not None:
        np.copyto(drawn, part)
        return
    reduction = float(np.abs(matrix[:, :2]).sum(axis=0).max())
    if reduction > LARGEST_REDUCTION:
        block = math.ceil(reduction / LARGEST_REDUCTION)
        plane = _averaged(plane, block)
        matrix = (matrix + _HALF) / block - _HALF
    if (result := _scaled(plane, matrix, drawn)) is not None:
        np.copyto(drawn, result)
        return
    cv2.warpAffine(
        plane,
        matrix,
        (drawn.shape[1], drawn.shape[0]),
        dst=drawn,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _scaled(plane: Plane, matrix: Matrix, drawn: Plane) -> Plane | None:
    """For a map that neither turns nor mirrors."""
    (step_x, turn_x, first_x), (turn_y, step_y, first_y) = matrix.tolist()
    if turn_x or turn_y or min(step_x, step_y) <= 0:
        return None
    rows, columns = drawn.shape
    return scaled(plane, Axis(first_x, step_x, columns), Axis(first_y, step_y, rows))


def _is_shift(matrix: Matrix) -> bool:
    shift = matrix - np.eye(2, 3)
    shift[:, 2] -= np.rint(shift[:, 2])
    return bool(np.abs(shift).max() < _EXACT)


def _part(plane: Plane, matrix: Matrix, drawn: Plane) -> Plane | None:
    """The samples to copy when the map only shifts by whole ones; None if some lie outside."""
    left, top = (int(value) for value in np.rint(matrix[:, 2]))
    if left < 0 or top < 0:
        return None
    part = plane[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    return part if part.shape == drawn.shape else None


def _averaged(plane: Plane, block: int) -> Plane:
    """Means of `block` x `block` samples; the last row and column are repeated to fill the last blocks."""
    height, width = plane.shape
    bottom, right = -height % block, -width % block
    if bottom or right:
        plane = np.asarray(cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    size = (plane.shape[1] // block, plane.shape[0] // block)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
