"""The reference warp on a torch device: `src = x + (i + .5) * crop / out - .5` on each plane, linear, many at once.

Places are parts of the plane's width and height, which is what `grid_sample(align_corners=False)` counts in; rotation
and pixel shape are in the same map. Above a reduction of 1.5 whole blocks are averaged first, as in `gpu.render.warp`.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.plan.geometry import Rect, Size
from gpu.render.warp import LARGEST_REDUCTION
from gpu.weights.libraries import library

PURPOSE = "rendering on a GPU"
STEPS = (1, 2, 2)
"""Pixels from one sample of Y, U and V to the next."""
Tensor = Any
"""torch is not installed where types are checked."""
_Places = npt.NDArray[np.float64]


class TorchWarp:
    """Draws pictures of one size, with pixels `shape` times as wide as high.

    They are shown mirrored left to right if `mirrored`, then turned clockwise by `rotation`.
    """

    def __init__(self, stored: Size, rotation: int, shape: Fraction, output: Size, *, mirrored: bool = False) -> None:
        self._stored, self._output, self._rotation, self._mirrored = stored, output, rotation, mirrored
        width = round(stored.width * shape)
        self._squeeze = stored.width / width
        self._lies = rotation % 180 == 90
        self._shown = Size(stored.height, width) if self._lies else Size(width, stored.height)

    def draw(self, pictures: Sequence[Tensor], crops: Sequence[Rect]) -> list[Tensor]:
        """Crop k (display pixels) of picture k at the output's size.

        `pictures` are Y, U and V of shape (n, rows, columns), codes from 0 to 255; results are float32, whole codes.
        """
        return [self._plane(plane, step, crops) for plane, step in zip(pictures, STEPS, strict=True)]

    def _plane(self, plane: Tensor, step: int, crops: Sequence[Rect]) -> Tensor:
        torch = library("torch", PURPOSE)
        size = Size(self._output.width // step, self._output.height // step)
        blocks = [self._block(crop, size, step) for crop in crops]
        drawn = torch.empty((len(crops), size.height, size.width), dtype=torch.float32, device=plane.device)
        for block in sorted(set(blocks)):
            chosen = [index for index, one in enumerate(blocks) if one == block]
            source = _averaged(plane[chosen].float(), block)
            grid = self._grid([crops[index] for index in chosen], size, step * block, source)
            sampled = torch.nn.functional.grid_sample(
                source[:, None], grid, mode="bilinear", padding_mode="border", align_corners=False
            )
            drawn[chosen] = sampled[:, 0].round_()
        return drawn

    def _block(self, crop: Rect, size: Size, step: int) -> int:
        """Side of the blocks to average: 1 for none."""
        squeeze_x, squeeze_y = (1.0, self._squeeze) if self._lies else (self._squeeze, 1.0)
        reduction = max(crop.width / size.width * squeeze_x, crop.height / size.height * squeeze_y) / step
        return math.ceil(reduction / LARGEST_REDUCTION) if reduction > LARGEST_REDUCTION else 1

    def _grid(self, crops: Sequence[Rect], size: Size, step: int, source: Tensor) -> Tensor:
        """Where each sample comes from: (n, rows, columns, 2), the plane's border at -1 and 1."""
        torch = library("torch", PURPOSE)
        across = _places([(crop.x, crop.width) for crop in crops], size.width, self._shown.width)[:, None, :]
        down = _places([(crop.y, crop.height) for crop in crops], size.height, self._shown.height)[:, :, None]
        x, y = {
            0: (across, down),
            90: (down, 1 - across),
            180: (1 - across, 1 - down),
            270: (1 - down, across),
        }[self._rotation]
        if self._mirrored:
            x = 1 - x
        rows, columns = source.shape[1:]
        # A plane whose last block or sample is not full ends after the picture.
        axes = (x * (self._stored.width / step / columns), y * (self._stored.height / step / rows))
        shape = (len(crops), size.height, size.width)
        return torch.stack(
            [torch.from_numpy((2 * axis - 1).astype(np.float32)).to(source.device).expand(shape) for axis in axes],
            dim=-1,
        )


def _places(crops: Sequence[tuple[float, float]], count: int, whole: int) -> _Places:
    """Middles of `count` equal parts of each (start, length), as parts of `whole`: shape (n, count)."""
    start, length = np.array(crops, np.float64).T[:, :, None]
    places: _Places = (start + (np.arange(count) + 0.5) * length / count) / whole
    return places


def _averaged(plane: Tensor, block: int) -> Tensor:
    """Means of `block` x `block` samples, halves upwards; the last row and column are repeated to fill blocks."""
    if block == 1:
        return plane
    functional = library("torch", PURPOSE).nn.functional
    rows, columns = plane.shape[1:]
    filled = functional.pad(plane[:, None], (0, -columns % block, 0, -rows % block), mode="replicate")
    return functional.avg_pool2d(filled, block)[:, 0].add_(0.5).floor_()
