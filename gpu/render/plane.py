"""The samples of a picture's plane as an array, without a copy."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane

Plane = npt.NDArray[np.uint8]
Sample = TypeVar("Sample", np.uint8, np.uint16)


def samples(plane: VideoPlane, kind: type[Sample]) -> npt.NDArray[Sample]:
    """A view of shape (height, width): writing to it writes the picture."""
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // np.dtype(kind).itemsize)
    return rows[: plane.height, : plane.width]
