"""Tonemaps HDR pictures quickly: Y of greys from a table, colours from a cube that is read once per chroma sample.

The cube says for every eighth code of Y, and between nodes of Cb and Cr linearly, what Cb and Cr become and how far Y
is from that of a grey, which changes slowly over the picture. Greys are exact; colours miss the formulas of `bt2100` by
half a code in the mean, by up to a dozen where one of red, green and blue is next to nothing. Ten bits are rounded to
eight, not dithered: the encoder would take a dither away or pay for it.
"""

from functools import lru_cache
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from gpu.render.bt2100 import Coding, Curve, tonemapped
from gpu.render.plane import samples

_CODES = 1024
_GREY = 512
_SLICE = 8
"""Codes of Y from one slice of the cube to the next."""
_TILES = 16
"""Slices beside each other in the picture that cv2.remap reads."""
_NEAR_GREY: dict[Curve, tuple[int, int]] = {"pq": (160, 4), "hlg": (304, 8)}
"""How far from grey, and how close, the nodes of Cb and Cr are set: there are the colours of bt709 at SDR's levels."""
_NODES_BEYOND = 4
_FINE = 128
"""Parts of an eight-bit code."""
_NO_DIFFERENCE = 1 << 15

Plane16 = npt.NDArray[np.uint16]
Number = TypeVar("Number", np.uint16, np.float32)


class _Cube(NamedTuple):
    """`atlas` holds difference of Y, Cb, Cr and nothing; the others map a code to parts of a code or to its place."""

    greys: Plane16
    atlas: Plane16
    slice_x: npt.NDArray[np.float32]
    slice_y: npt.NDArray[np.float32]
    node: npt.NDArray[np.float32]


def tonemap(frame: VideoFrame, coding: Coding) -> VideoFrame:
    """A yuv420p10le picture in TV range -> a new one in yuv420p, bt709, TV range, with the same timestamp."""
    cube = _cube(coding)
    y, cb, cr = (samples(plane, np.uint16) for plane in frame.planes)
    brightness = _averaged(y, cb.shape)
    x = cv2.add(cv2.LUT(brightness, cube.slice_x), cv2.LUT(cb, cube.node))
    row = cv2.add(cv2.LUT(brightness, cube.slice_y), cv2.LUT(cr, cube.node))
    difference, *chroma, _ = cv2.split(cv2.remap(cube.atlas, x, row, cv2.INTER_LINEAR))
    target = VideoFrame(frame.width, frame.height, "yuv420p")
    targets = [samples(plane, np.uint8) for plane in target.planes]
    spread = cv2.resize(difference, (2 * cb.shape[1], 2 * cb.shape[0]), interpolation=cv2.INTER_LINEAR)
    spread, grey = spread[: y.shape[0], : y.shape[1]], cv2.LUT(y, cube.greys)
    cv2.addWeighted(grey, 1 / _FINE, spread, 1 / _FINE, -_NO_DIFFERENCE / _FINE, targets[0], cv2.CV_8U)
    for codes, plane in zip(chroma, targets[1:], strict=True):
        cv2.convertScaleAbs(codes, plane, 1 / _FINE)
    target.pts = frame.pts
    if frame.time_base is not None:
        target.time_base = frame.time_base
    return target


@lru_cache(8)
def _cube(coding: Coding) -> _Cube:
    every = np.arange(_CODES)
    greys = tonemapped(np.stack([every, *np.full((2, _CODES), _GREY)]).astype(np.float64), coding)[0]
    slices, nodes = every[::_SLICE], _chroma_nodes(coding.curve)
    cr, cb = np.meshgrid(nodes, nodes, indexing="ij")
    tiles = np.zeros((4, len(slices), len(nodes), len(nodes)), np.uint16)
    for number, y in enumerate(slices):  # all at once would take 200 MB
        mapped = tonemapped(np.stack([np.full_like(cb, y), cb, cr]), coding)
        mapped[0] += _NO_DIFFERENCE / _FINE - greys[y]
        tiles[:3, number] = np.rint(mapped * _FINE)
    rows = tiles.reshape(4, -1, _TILES, len(nodes), len(nodes)).transpose(1, 3, 2, 4, 0)
    nearest = np.minimum((every + _SLICE // 2) // _SLICE, len(slices) - 1)
    return _Cube(
        _table(np.rint(greys * _FINE), np.uint16),
        np.ascontiguousarray(rows).reshape(-1, _TILES * len(nodes), 4),
        _table(nearest % _TILES * len(nodes), np.float32),
        _table(nearest // _TILES * len(nodes), np.float32),
        _table(np.interp(every, nodes, np.arange(len(nodes))), np.float32),
    )


def _chroma_nodes(curve: Curve) -> npt.NDArray[np.float64]:
    reach, step = _NEAR_GREY[curve]
    upper = np.concatenate([np.arange(0, reach, step), np.linspace(reach, _GREY, _NODES_BEYOND)])
    return np.concatenate([-upper[:0:-1], upper]) + _GREY


def _table(values: npt.NDArray[np.generic], kind: type[Number]) -> npt.NDArray[Number]:
    """cv2.LUT wants an entry for every value of 16 bits."""
    table = np.zeros(1 << 16, kind)
    table[:_CODES] = values
    return table


def _averaged(plane: Plane16, shape: tuple[int, ...]) -> Plane16:
    """Means of 2 x 2 samples; an odd last row or column is repeated."""
    bottom, right = 2 * shape[0] - plane.shape[0], 2 * shape[1] - plane.shape[1]
    if bottom or right:
        plane = np.asarray(cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint16)
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=cv2.INTER_AREA), np.uint16)
