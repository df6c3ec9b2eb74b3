"""Draws a highlight over a yuv420p, bt709, TV-range picture: an effect in or around an ellipse, then its colour.

Let k = style.strength * ellipse.strength, and r the normalised radius of `ellipse_mask`; S(a, b, v) is smoothstep,
3 t^2 - 2 t^3 of t = (v - a) / (b - a) clipped to 0..1. The effect ends at the border, r = 1; across it bytes stay:

    spotlight   w = S(1, (1 + s)^2, r^2)    Y' = Y - k w (Y - 16)     U' = U - k w (U - 128), V alike
    brighten    w = S(1, (1 - s)^2, r^2)    Y' = Y + k w (235 - Y) (Y - 16) / 219 between 16 and 235; U and V as before

s is the softness, at least one sample of the plane, for brighten at most 1: the edge is s times the smaller radius
wide where the ellipse is narrow, and s times the larger one at its ends. Over the effect lies the colour C, with d the
distance from the border in samples (`ellipse_mask.Distance`) and h = ring_width * smaller radius / 2:

    fill        f = ellipse.strength * fill_opacity * clip(.5 - d, 0, 1)
    ring        g = ellipse.strength * stroke_opacity * clip(.5 + h - |d|, 0, min(1, 2 h))
    both        P' = P + (1 - (1 - f) (1 - g)) (C - P) on each plane

U and V are drawn as a picture of half the size, so their samples lie in the middle of four pixels. Effect and colour
round to whole codes once each: a sample differs by at most 1 from these formulas.

In RGB a spotlight is black at opacity k w, and the colour an ellipse filled and stroked with a line of width 2 h.
Brighten is the picture laid over itself in mode "screen" at opacity k w: the same for greys, near it for colours.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from gpu.plan.ellipse import Ellipse
from gpu.plan.geometry import Size
from gpu.plan.spec import HighlightStyle
from gpu.render.ellipse_mask import Distance, Oval, Part, SoftEdge, Weights, Zone, parts
from gpu.render.picture import Plane, Planes

BLACK, WHITE, GREY = 16, 235, 128
"""Codes of TV range: ITU-R BT.709-6, 3.5; grey is U and V without colour."""
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
"""Parts of luma: ITU-R BT.709-6, 3.2."""
_LARGEST = 1_000_000
_SMALLEST_RADIUS = 1e-3
"""In pixels, drawn in place of a smaller one, whose masks would not be finite."""

Painter = Callable[[Plane, Plane], object]
"""Writes the samples of the first, changed, over all of the second."""


class Change(NamedTuple):
    """What a plane becomes in each zone; `edge` takes the weights of the part between its two planes."""

    inside: Painter
    edge: Callable[[Plane, Weights, Plane], object]
    outside: Painter


class Sheet(NamedTuple):
    """Planes of one size, what they are written to, and the ellipse in their samples."""

    sources: Sequence[Plane]
    targets: Sequence[Plane]
    oval: Oval

    def lay(self, inner: float, outer: float, weights: Callable[[Part], Weights], changes: Sequence[Change]) -> None:
        """Writes each source by its own change; the edge lies between the normalised radii `inner` and `outer`."""
        height, width = self.sources[0].shape
        for part in parts(self.oval, inner, outer, width, height):
            mask = weights(part) if part.zone is Zone.EDGE else None
            for source, target, change in zip(self.sources, self.targets, changes, strict=True):
                old, new = source[part.rows, part.columns], target[part.rows, part.columns]
                if mask is not None:
                    change.edge(old, mask, new)
                elif part.zone is Zone.INSIDE:
                    change.inside(old, new)
                else:
                    change.outside(old, new)


class Highlighter:
    """Draws the ellipses of one style over pictures of one size."""

    def __init__(self, size: Size, style: HighlightStyle) -> None:
        half = (size.height + 1) // 2, (size.width + 1) // 2
        self._shapes = ((size.height, size.width), half, half)
        self._style = style

    def draw(self, source: Planes, ellipse: Ellipse, target: Planes) -> None:
        """Writes `source` with the ellipse over it to all of `target`: the same memory, or memory apart from it.

        The ellipse may lie in part or wholly outside of the picture. Raises ValueError when the planes are not of this
        size, the ellipse is more than a million pixels large or away, a radius is not above 0 or the colour is not
        #rrggbb.
        """
        if not all(abs(number) <= _LARGEST for number in ellipse[:4]) or min(ellipse.radius_x, ellipse.radius_y) <= 0:
            raise ValueError(f"an ellipse needs radii above 0 and numbers of at most {_LARGEST}: {ellipse}")
        for picture in (source, target):
            if (shapes := tuple(plane.shape for plane in picture)) != self._shapes:
                raise ValueError(f"planes of {shapes}, not of {self._shapes}")
        y, u, v = _bt709(ellipse.color)
        luma = Sheet([source.y], [target.y], _oval(ellipse, 1))
        chroma = Sheet([source.u, source.v], [target.u, target.v], _oval(ellipse, 2))
        self._draw_effect(luma, chroma, self._style.strength * ellipse.strength)
        self._draw_color(luma._replace(sources=luma.targets), ellipse, [y])
        self._draw_color(chroma._replace(sources=chroma.targets), ellipse, [u, v])

    def _draw_effect(self, luma: Sheet, chroma: Sheet, strength: float) -> None:
        if strength == 0:
            _copy(luma)
            _copy(chroma)
        elif self._style.effect == "spotlight":
            self._darken(luma, BLACK, strength)
            self._darken(chroma, GREY, strength)
        else:
            self._lift(luma, strength)
            _copy(chroma)

    def _darken(self, sheet: Sheet, dark: float, strength: float) -> None:
        end = 1 + self._softness(sheet.oval)
        edge = SoftEdge(sheet.oval, end, *_shape(sheet))
        change = Change(_keep, _moved(dark), _all_moved(dark, 1 - strength))
        sheet.lay(1, end, lambda part: edge.blend(part, 1, 1 - strength), [change] * len(sheet.sources))

    def _lift(self, sheet: Sheet, strength: float) -> None:
        end = 1 - min(self._softness(sheet.oval), 1)
        edge = SoftEdge(sheet.oval, end, *_shape(sheet))
        sheet.lay(end, 1, lambda part: edge.blend(part, 0, strength), [_lifted(strength)] * len(sheet.sources))

    def _softness(self, oval: Oval) -> float:
        return max(self._style.softness, 1 / oval.smaller_radius)

    def _draw_color(self, sheet: Sheet, ellipse: Ellipse, color: Sequence[float]) -> None:
        fill, stroke = ellipse.strength * ellipse.fill_opacity, ellipse.strength * ellipse.stroke_opacity
        half = self._style.ring_width * sheet.oval.smaller_radius / 2 if stroke else 0.0
        if not fill and not half:
            return
        distance = Distance(sheet.oval, *_shape(sheet))

        def kept(part: Part) -> Weights:
            away = distance.of(part)
            below_fill = _uncovered(away, -0.5, 0.5, fill) if fill else 1
            below_ring = _uncovered(np.abs(away, out=away), 0.5 + half - min(1, 2 * half), 0.5 + half, stroke)
            below_ring *= below_fill
            return below_ring

        reach = (half + 0.5) / sheet.oval.smaller_radius
        changes = [Change(_all_moved(value, 1 - fill), _moved(value), _keep) for value in color]
        sheet.lay(1 - reach, 1 + reach, kept, changes)


def _oval(ellipse: Ellipse, step: int) -> Oval:
    radius_x, radius_y = (max(radius, _SMALLEST_RADIUS) / step for radius in (ellipse.radius_x, ellipse.radius_y))
    return Oval(ellipse.x / step, ellipse.y / step, radius_x, radius_y)


def _shape(sheet: Sheet) -> tuple[int, int]:
    height, width = sheet.sources[0].shape
    return width, height


def _copy(sheet: Sheet) -> None:
    for source, target in zip(sheet.sources, sheet.targets, strict=True):
        _keep(source, target)


def _keep(source: Plane, target: Plane) -> None:
    np.copyto(target, source)


def _all_moved(value: float, kept: float) -> Painter:
    """Brings samples nearer to `value`: their difference is multiplied by `kept`."""
    if kept == 1:
        return _keep
    return lambda source, target: cv2.convertScaleAbs(source, target, kept, value * (1 - kept))


def _moved(value: float) -> Callable[[Plane, Weights, Plane], None]:
    """Brings samples nearer to `value`: their differences are multiplied by the weights."""

    def move(source: Plane, kept: Weights, target: Plane) -> None:
        difference = np.subtract(source, value, dtype=np.float32)
        difference *= kept
        cv2.convertScaleAbs(difference, target, 1, value)

    return move


def _lifted(strength: float) -> Change:
    """Brighten; the weights are k w."""
    codes = np.arange(256)
    inside = np.clip(codes, BLACK, WHITE)
    lift = ((WHITE - inside) * (inside - BLACK) / (WHITE - BLACK)).astype(np.float32)
    lifted = np.rint(codes + strength * lift).astype(np.uint8)

    def edge(source: Plane, weights: Weights, target: Plane) -> None:
        added = np.asarray(cv2.LUT(source, lift), np.float32)
        added *= weights
        added += source
        cv2.convertScaleAbs(added, target)

    return Change(lambda source, target: cv2.LUT(source, lifted, target), edge, _keep)


def _uncovered(away: Weights, low: float, high: float, opacity: float) -> Weights:
    """1 - opacity * (high - away), `away` clipped to low..high."""
    kept: Weights = np.clip(away, low, high)
    kept *= opacity
    kept += 1 - opacity * high
    return kept


def _bt709(color: str) -> tuple[float, float, float]:
    """Y, U and V of "#rrggbb" in TV range, not rounded: ITU-R BT.709-6, 3.2 to 3.5."""
    red, green, blue = (value / 255 for value in bytes.fromhex(color.removeprefix("#")))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    to_blue, to_red = (blue - luma) / (2 - 2 * _BLUE), (red - luma) / (2 - 2 * _RED)
    return BLACK + 219 * luma, GREY + 224 * to_blue, GREY + 224 * to_red
