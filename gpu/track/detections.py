"""What a detector finds in one picture, in that picture's pixels; the origin is its top left corner."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RgbBatch = npt.NDArray[np.uint8]
"""Pictures of one size: shape (n, height, width, 3), RGB, full range."""
Matrix = npt.NDArray[np.float64]


class Box(NamedTuple):
    """An axis-aligned rectangle; `x`, `y` is its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> "Box":
        return Box(self.x + x, self.y + y, self.width, self.height)

    def scaled(self, x: float, y: float) -> "Box":
        return Box(self.x * x, self.y * y, self.width * x, self.height * y)

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


class Detection(NamedTuple):
    """`score` is between 0 and 1; `label` is the kind of thing, such as `person`."""

    box: Box
    score: float
    label: str


def overlaps(ones: Sequence[Box], others: Sequence[Box]) -> Matrix:
    """Intersection over union of each of `ones` (rows) with each of `others` (columns); 0 for boxes without area."""
    if not ones or not others:
        return np.zeros((len(ones), len(others)))
    first, second = np.array(ones, np.float64)[:, None, :], np.array(others, np.float64)[None, :, :]
    start = np.maximum(first[..., :2], second[..., :2])
    end = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    shared = np.clip(end - start, 0, None).prod(axis=-1)
    together = first[..., 2:].prod(axis=-1) + second[..., 2:].prod(axis=-1) - shared
    return np.asarray(np.divide(shared, together, out=np.zeros_like(shared), where=together > 0), np.float64)
