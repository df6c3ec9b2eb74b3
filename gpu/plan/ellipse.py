"""The highlight's ellipse in one output picture: what an engine draws, with nothing left to work out."""

from typing import NamedTuple


class Ellipse(NamedTuple):
    """Centre and radii in output pixels; pixel (0, 0) covers [0, 1), so its sample lies at (0.5, 0.5).

    `color` is "#rrggbb", the opacities go from 0 to 1. `strength`, also 0 to 1, is the region's fade: it multiplies
    everything that is drawn.
    """

    x: float
    y: float
    radius_x: float
    radius_y: float
    color: str
    stroke_opacity: float
    fill_opacity: float
    strength: float
