"""The port of upscalers."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpu.plan.geometry import Size

RgbBatch = npt.NDArray[np.uint8]
"""Pictures of one size: shape (n, height, width, 3), RGB, full range."""


class Upscaler(Protocol):
    """Pictures are independent of each other: the same picture gives the same result in every batch."""

    @property
    def name(self) -> str: ...

    @property
    def ai(self) -> bool: ...

    def upscale(self, pictures: RgbBatch, size: Size) -> RgbBatch:
        """The pictures at `size`; raises ValueError if that is smaller than they are."""
        ...


def check_larger(pictures: RgbBatch, size: Size) -> None:
    """Raises ValueError unless `pictures` is a batch and `size` at least as large in both directions."""
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
        raise ValueError(f"{pictures.dtype} of shape {pictures.shape} is no batch of RGB pictures")
    height, width = pictures.shape[1:3]
    if size.width < width or size.height < height:
        raise ValueError(f"{width} x {height} is not upscaled to {size.width} x {size.height}: that is smaller")
