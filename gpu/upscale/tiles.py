"""How a picture is cut into tiles of one size. Pure arithmetic.

Tiles overlap by at least two margins and each is kept up to the middle of the overlap, so that a kept pixel has a
margin of its surroundings in its tile, or the picture's own border. A network that looks no further than the margin
gives the same result with tiles as without.
"""

from itertools import pairwise
from typing import NamedTuple

from gpu.plan.geometry import Size


class Span(NamedTuple):
    """Along one axis: the tile begins at `start`; [keep_from, keep_to) of the picture is taken from it."""

    start: int
    keep_from: int
    keep_to: int


class Tile(NamedTuple):
    across: Span
    down: Span


class Tiling(NamedTuple):
    """All tiles have `size`; what they keep covers the picture once."""

    size: Size
    tiles: tuple[Tile, ...]


def tile_picture(picture: Size, side: int, margin: int) -> Tiling:
    """Tiles of at most `side` x `side`; raises ValueError when two margins leave nothing of a tile."""
    if margin < 0 or side <= 2 * margin:
        raise ValueError(f"tiles of {side} pixels cannot have margins of {margin}")
    size = Size(min(side, picture.width), min(side, picture.height))
    across = _spans(picture.width, size.width, margin)
    down = _spans(picture.height, size.height, margin)
    return Tiling(size, tuple(Tile(column, row) for row in down for column in across))


def _spans(length: int, side: int, margin: int) -> list[Span]:
    """As few as are needed, at even distances."""
    if length <= side:
        return [Span(0, 0, length)]
    step = side - 2 * margin
    last = -(-(length - side) // step)
    starts = [(length - side) * number // last for number in range(last + 1)]
    seams = [(start + before + side) // 2 for before, start in pairwise(starts)]
    kept = pairwise([0, *seams, length])
    return [Span(start, *edges) for start, edges in zip(starts, kept, strict=True)]
