"""The highlight of `gpu.render.highlight` on a torch device: its formulas over whole planes, many pictures at once.

Effect and colour are rounded to whole codes once each, as there.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpu.plan.ellipse import Ellipse
from gpu.plan.spec import HighlightStyle
from gpu.render.engines.torch_warp import PURPOSE, STEPS, Tensor
from gpu.render.highlight import BLACK, GREY, WHITE
from gpu.weights.libraries import library

_SMALLEST_RADIUS = 1e-3
_OFF_CENTRE = 1e-12
_RED, _BLUE = 0.2126, 0.0722
"""Parts of luma: ITU-R BT.709-6, 3.2."""
_Numbers = npt.NDArray[np.float64]
Module = Any


class _Ovals(NamedTuple):
    """Ellipses in samples of a plane, one a row."""

    x: _Numbers
    y: _Numbers
    radius_x: _Numbers
    radius_y: _Numbers

    @property
    def smaller_radius(self) -> _Numbers:
        return np.minimum(self.radius_x, self.radius_y)


def highlight(pictures: Sequence[Tensor], ellipses: Sequence[Ellipse | None], style: HighlightStyle) -> None:
    """Draws ellipse k over picture k, in place: Y, U and V of shape (n, rows, columns), float32 codes."""
    drawn = [(index, ellipse) for index, ellipse in enumerate(ellipses) if ellipse is not None]
    if not drawn:
        return
    torch = library("torch", PURPOSE)
    chosen = [index for index, _ in drawn]
    lent = [ellipse for _, ellipse in drawn]
    colors = np.array([_bt709(ellipse.color) for ellipse in lent]).T
    strength = style.strength * np.array([ellipse.strength for ellipse in lent])
    for number, (plane, step, color) in enumerate(zip(pictures, STEPS, colors, strict=True)):
        picked = plane[chosen]
        masks = _Masks(torch, _ovals(lent, step), picked)
        if style.effect == "spotlight":
            weights = masks.edge(1 + masks.softness(style)) * masks.column(strength)
            picked -= weights * (picked - (GREY if number else BLACK))
        elif not number:
            weights = masks.edge(1 - np.minimum(masks.softness(style), 1)) * masks.column(strength)
            inside = picked.clamp(BLACK, WHITE)
            picked += weights * (WHITE - inside) * (inside - BLACK) / (WHITE - BLACK)
        picked.round_()
        picked += masks.cover(lent, style) * (masks.column(color) - picked)
        plane[chosen] = picked.round_()


class _Masks:
    """Weights of some ovals on planes like `plane`, of shape (n, rows, columns)."""

    def __init__(self, torch: Module, ovals: _Ovals, plane: Tensor) -> None:
        self._torch, self._ovals, self._device = torch, ovals, plane.device
        rows, columns = plane.shape[1:]
        self._across = np.square(np.arange(columns) + 0.5 - ovals.x) / ovals.radius_x**2
        self._down = np.square(np.arange(rows) + 0.5 - ovals.y) / ovals.radius_y**2

    def softness(self, style: HighlightStyle) -> _Numbers:
        return np.maximum(style.softness, 1 / self._ovals.smaller_radius)

    def edge(self, end: _Numbers) -> Tensor:
        """Smoothstep from 0 at the border to 1 at the normalised radius `end`."""
        reach = end**2 - 1
        t = self._sum((self._across - 1) / reach, self._down / reach).clamp_(0, 1)
        return t * t * (3 - 2 * t)

    def cover(self, ellipses: Sequence[Ellipse], style: HighlightStyle) -> Tensor:
        """Opacity of the colour: fill and ring over each other."""
        ovals = self._ovals
        fill = np.array([ellipse.strength * ellipse.fill_opacity for ellipse in ellipses])
        stroke = np.array([ellipse.strength * ellipse.stroke_opacity for ellipse in ellipses])
        half = style.ring_width * ovals.smaller_radius[:, 0] / 2
        across = self._across + _OFF_CENTRE
        squared = self._sum(across, self._down)
        steep = self._sum(across / ovals.radius_x**2, self._down / ovals.radius_y**2).sqrt_()
        distance = (squared - squared.sqrt()) / steep
        filled = (0.5 - distance).clamp_(0, 1) * self.column(fill)
        ring = self._torch.minimum(
            (0.5 + self.column(half) - distance.abs_()).clamp_(min=0), self.column(np.minimum(1, 2 * half))
        )
        return 1 - (1 - filled) * (1 - ring * self.column(stroke))

    def column(self, values: _Numbers) -> Tensor:
        """One value for each picture."""
        return self._torch.from_numpy(values.astype(np.float32)).to(self._device)[:, None, None]

    def _sum(self, across: _Numbers, down: _Numbers) -> Tensor:
        rows, columns = (
            self._torch.from_numpy(values.astype(np.float32)).to(self._device) for values in (down, across)
        )
        return rows[:, :, None] + columns[:, None, :]


def _ovals(ellipses: Sequence[Ellipse], step: int) -> _Ovals:
    values = np.array([ellipse[:4] for ellipse in ellipses], np.float64)
    values[:, 2:] = np.maximum(values[:, 2:], _SMALLEST_RADIUS)
    return _Ovals(*(values / step).T[:, :, None])


def _bt709(color: str) -> tuple[float, float, float]:
    """Y, U and V of "#rrggbb" in TV range, not rounded: ITU-R BT.709-6, 3.2 to 3.5."""
    red, green, blue = (value / 255 for value in bytes.fromhex(color.removeprefix("#")))
    luma = _RED * red + (1 - _RED - _BLUE) * green + _BLUE * blue
    to_blue, to_red = (blue - luma) / (2 - 2 * _BLUE), (red - luma) / (2 - 2 * _RED)
    return BLACK + 219 * luma, GREY + 224 * to_blue, GREY + 224 * to_red
