"""Masks of an ellipse on one plane, worked out only where they vary, for a centre anywhere between the samples.

Everything is a function of r, the normalised radius: r^2 = ((x - cx) / rx)^2 + ((y - cy) / ry)^2, at the
samples' centres (i + .5, j + .5). The border is r = 1. Units are samples of the plane.
"""

import math
from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_ROWS = 100
"""Mean height of a band, whose rows share their limits: fewer bands mean fewer calls and more samples off the edge."""
_WORTH_SKIPPING = 8_000
"""Samples in the middle of a band from which two edges cost less than one that goes through."""
_OFF_CENTRE = 1e-12
"""Added to r^2, so that the distance is finite in the centre itself."""

Weights = npt.NDArray[np.float32]


class Oval(NamedTuple):
    """An ellipse in samples of a plane."""

    x: float
    y: float
    radius_x: float
    radius_y: float

    @property
    def smaller_radius(self) -> float:
        return min(self.radius_x, self.radius_y)


class Zone(Enum):
    """Where a part of the plane lies; an edge may hold some of both sides too."""

    INSIDE = auto()
    EDGE = auto()
    OUTSIDE = auto()


class Part(NamedTuple):
    """A rectangle of samples."""

    zone: Zone
    rows: slice
    columns: slice


def parts(oval: Oval, inner: float, outer: float, width: int, height: int) -> Iterator[Part]:
    """Divides a plane: r <= `inner` in all of an inside part, r >= `outer` in all of an outside part; none is empty."""
    top = _clamped(math.ceil(oval.y - oval.radius_y * outer - 0.5), height)
    bottom = max(top, _clamped(math.floor(oval.y + oval.radius_y * outer + 0.5), height))
    for first, end in ((0, top), (bottom, height)):
        if first < end:
            yield Part(Zone.OUTSIDE, slice(first, end), slice(0, width))
    for rows in _bands(oval, oval.radius_y * outer, top, bottom):
        yield from _divided(oval, inner, outer, width, rows)


def _bands(oval: Oval, reach: float, top: int, bottom: int) -> Iterator[slice]:
    """Rows from `top` to `bottom` in steps of equal angle: high where the border is steep, low where it is flat."""
    count = math.ceil((bottom - top) / _ROWS)
    start, end = (math.asin(min(max((row - oval.y) / reach, -1), 1)) for row in (top, bottom))
    turns = (start + (end - start) * step / count for step in range(1, count))
    between = (round(oval.y + reach * math.sin(turn)) for turn in turns)
    limits = sorted([top, *(min(max(row, top), bottom) for row in between), bottom])
    return (slice(first, end) for first, end in pairwise(limits) if first < end)


def _divided(oval: Oval, inner: float, outer: float, width: int, rows: slice) -> Iterator[Part]:
    above, below = rows.start + 0.5 - oval.y, rows.stop - 0.5 - oval.y
    nearest, farthest = max(above, -below, 0.0), max(-above, below)
    left, right = _span(oval, outer, nearest, width)
    hole_left, hole_right = _span(oval, inner, farthest, width)
    if (hole_right - hole_left) * (rows.stop - rows.start) < _WORTH_SKIPPING:
        hole_left = hole_right = right
    for first, end, zone in (
        (0, left, Zone.OUTSIDE),
        (left, hole_left, Zone.EDGE),
        (hole_left, hole_right, Zone.INSIDE),
        (hole_right, right, Zone.EDGE),
        (right, width, Zone.OUTSIDE),
    ):
        if first < end:
            yield Part(zone, rows, slice(first, end))


def _span(oval: Oval, radius: float, from_centre: float, width: int) -> tuple[int, int]:
    """Columns [first, end) with r <= `radius` in the row at that distance from the centre."""
    square = max(radius, 0.0) ** 2 - (from_centre / oval.radius_y) ** 2
    if square <= 0:
        return 0, 0
    half = oval.radius_x * math.sqrt(square)
    first = _clamped(math.ceil(oval.x - half - 0.5), width)
    return first, max(first, _clamped(math.floor(oval.x + half + 0.5), width))


def _clamped(value: int, end: int) -> int:
    return min(max(value, 0), end)


class SoftEdge:
    """Smoothstep, 3 t^2 - 2 t^3, of t = (r^2 - 1) / (end^2 - 1) clipped to 0..1: 0 at the border, 1 at r = `end`."""

    def __init__(self, oval: Oval, end: float, width: int, height: int) -> None:
        reach = end**2 - 1
        self._across = _single((_squares(oval.x, width) / oval.radius_x**2 - 1) / reach)
        self._down = _single(_squares(oval.y, height) / oval.radius_y**2 / reach)

    def blend(self, part: Part, at_border: float, at_end: float) -> Weights:
        """From one value to the other, of shape (rows, columns)."""
        t = _sums(self._across, self._down, part)
        np.clip(t, 0, 1, out=t)
        square = t * t
        way = at_end - at_border
        t *= -2 * way
        t += 3 * way
        t *= square
        t += at_border
        return t


class Distance:
    """Distance from the border in samples, negative inside, to the first order: (r - 1) / |gradient of r|.

    Exact for circles and on both axes; else right near the border, which is where a stroke is.
    """

    def __init__(self, oval: Oval, width: int, height: int) -> None:
        across = _squares(oval.x, width) / oval.radius_x**2 + _OFF_CENTRE
        down = _squares(oval.y, height) / oval.radius_y**2
        self._across, self._steep_across = _single(across), _single(across / oval.radius_x**2)
        self._down, self._steep_down = _single(down), _single(down / oval.radius_y**2)

    def of(self, part: Part) -> Weights:
        """Of shape (rows, columns). The gradient of r is sqrt(x^2 / rx^4 + y^2 / ry^4) / r."""
        squared = _sums(self._across, self._down, part)
        steep = _sums(self._steep_across, self._steep_down, part)
        np.sqrt(steep, out=steep)
        squared -= np.sqrt(squared)
        squared /= steep
        return squared


def _sums(across: Weights, down: Weights, part: Part) -> Weights:
    """across[x] + down[y], row after row: NumPy left to itself lays out narrow results column after column."""
    columns, rows = across[part.columns], down[part.rows, None]
    return np.add(rows, columns, out=np.empty((rows.size, columns.size), np.float32))


def _single(values: npt.NDArray[np.float64]) -> Weights:
    return values.astype(np.float32)


def _squares(centre: float, count: int) -> npt.NDArray[np.float64]:
    return np.square(np.arange(count, dtype=np.float64) + (0.5 - centre), dtype=np.float64)
