"""The crop rectangle and how it keeps its ratio and stays inside the frame. Pure arithmetic, no rounding."""

from typing import NamedTuple


class Rect(NamedTuple):
    """An axis-aligned rectangle in source pixels after display rotation; `x`, `y` is its top left corner."""

    x: float
    y: float
    width: float
    height: float


class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: int
    height: int

    @property
    def ratio(self) -> float:
        return self.width / self.height


def even(size: Size) -> Size:
    """`size` without its odd last column or row, as yuv420p needs."""
    return Size(size.width - size.width % 2, size.height - size.height % 2)


def fitted_width(rect: Rect, ratio: float) -> float:
    """Width of the largest rectangle of exactly `ratio` that fits into `rect`."""
    return min(rect.width, rect.height * ratio)


def largest_crop(frame: Size, ratio: float) -> Rect:
    """The largest rectangle of `ratio` in the middle of `frame`."""
    return placed(frame.width / 2, frame.height / 2, float(frame.width), ratio, frame)


def placed(centre_x: float, centre_y: float, width: float, ratio: float, frame: Size) -> Rect:
    """A rectangle of `ratio` around a centre: made smaller until it fits into `frame`, then moved inside."""
    fitting = min(width, float(frame.width), frame.height * ratio)
    height = fitting / ratio
    x = min(max(centre_x - fitting / 2, 0.0), frame.width - fitting)
    y = min(max(centre_y - height / 2, 0.0), frame.height - height)
    return Rect(x, y, fitting, height)
