"""Scales a plane without turning it, by `cv2.resize`, which is four times as fast as `cv2.warpAffine`.

`resize` samples `(j + .5) * step - .5` for any real `step`, but knows no offset. A picture that begins `lead` samples
earlier has its offset moved by `lead * step`: among the first leads there mostly is one that brings it near a whole
sample, which is where the part of the plane to be scaled begins.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from gpu.render.picture import Plane

LARGEST_MISS = 1 / 64
"""Of a sample of the plane; on an enlarged picture some hundredths of a pixel, with no bias."""
_MOST_LEAD = 128
_LEAD_PART = 8
"""A lead is at most this part of the output, so that it costs less than it saves."""
_MOST_WORK = 4
"""Times the output that may be made: with very wide pixels a sample beside the part becomes hundreds."""


class Axis(NamedTuple):
    """Output sample i is the plane's at `first + i * step`."""

    first: float
    step: float
    samples: int


class _Cut(NamedTuple):
    """Samples [begin, end) of the plane; of what they become, the first `lead` are left out."""

    begin: int
    end: int
    lead: int


def scaled(plane: Plane, across: Axis, down: Axis) -> Plane | None:
    """Linear samples of the plane, its edges repeated; None where no lead is near enough."""
    columns, rows = _cut(across, plane.shape[1]), _cut(down, plane.shape[0])
    if columns is None or rows is None:
        return None
    part = plane[rows.begin : rows.end, columns.begin : columns.end]
    size = round(part.shape[0] * (1 / down.step)), round(part.shape[1] * (1 / across.step))
    if size == part.shape or size[0] * size[1] > _MOST_WORK * down.samples * across.samples:
        return None  # `resize` copies what keeps its size, whatever the step
    made = cv2.resize(part, None, fx=1 / across.step, fy=1 / down.step, interpolation=cv2.INTER_LINEAR)
    wanted = made[rows.lead : rows.lead + down.samples, columns.lead : columns.lead + across.samples]
    return np.asarray(wanted, np.uint8) if wanted.shape == (down.samples, across.samples) else None


def _cut(axis: Axis, length: int) -> _Cut | None:
    place = axis.first + 0.5 - axis.step / 2  # where the part would have to begin without a lead
    most = min(_MOST_LEAD, axis.samples // _LEAD_PART, math.floor(place / axis.step + LARGEST_MISS))
    begins = place - axis.step * np.arange(most + 1)
    misses = np.abs(begins - np.rint(begins))
    # Within half a sample of its beginning a part has no neighbour to look at; the plane's own edge is repeated.
    inside = (np.arange(most + 1) + 0.5) * axis.step >= 0.5
    near = np.flatnonzero((misses <= LARGEST_MISS) & (inside | (np.rint(begins) == 0)))
    if not near.size:
        return None
    lead = int(near[0])
    last = axis.first + (axis.samples - 1) * axis.step
    return _Cut(round(begins[lead]), min(length, math.floor(last) + 3), lead)
