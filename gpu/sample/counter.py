"""The frame number as a strip of black and white blocks, repeated across the picture so that a crop keeps a whole copy.

A copy is a white and a black guard block, 16 bits with the highest first, and a bit that makes the number of ones odd.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.plan.geometry import Rect

BLACK, WHITE = 16, 235
DATA_BITS = 16
BLOCKS = DATA_BITS + 3
"""Blocks of one copy: two guards, the bits, the parity."""


class CounterError(ValueError):
    """No copy of the strip lies inside the rectangle, or what is there is not a frame counter."""


@dataclass(frozen=True)
class StripLayout:
    """Where the copies are in a picture of this size; `block` is the edge of a block in pixels."""

    width: int
    height: int

    @property
    def block(self) -> int:
        return max(4, self.height // 154 * 2)

    @property
    def pitch(self) -> int:
        """Distance from one copy to the next; a rectangle of two pitches' width holds a whole copy."""
        return (BLOCKS + 1) * self.block

    def copies(self) -> list[int]:
        """Left edges of the copies that fit into the picture."""
        return list(range(0, self.width - BLOCKS * self.block + 1, self.pitch))


def encode_bits(number: int) -> list[bool]:
    """The blocks of one copy, white is True; raises ValueError for a number that 16 bits cannot hold."""
    if not 0 <= number < 1 << DATA_BITS:
        raise ValueError(f"frame {number} does not fit into {DATA_BITS} bits")
    data = [bool(number >> bit & 1) for bit in reversed(range(DATA_BITS))]
    return [True, False, *data, sum(data) % 2 == 0]


def draw_counter(luma: npt.NDArray[np.uint8], number: int) -> None:
    """Writes all copies into the top rows of a luma plane."""
    layout = StripLayout(luma.shape[1], luma.shape[0])
    levels = np.where(encode_bits(number), WHITE, BLACK).astype(np.uint8)
    row = np.repeat(levels, layout.block)
    for left in layout.copies():
        luma[: layout.block, left : left + row.size] = row


def read_counter(luma: npt.NDArray[np.uint8], source_size: tuple[int, int], crop: Rect | None = None) -> int:
    """The frame number in a picture that shows `crop` of a source of `source_size` (width, height); None is all of it.

    Raises CounterError.
    """
    layout = StripLayout(*source_size)
    shown = crop or Rect(0.0, 0.0, float(layout.width), float(layout.height))
    left = _visible_copy(layout, shown)
    scale_x, scale_y = luma.shape[1] / shown.width, luma.shape[0] / shown.height
    columns = (left + (np.arange(BLOCKS) + 0.5) * layout.block - shown.x) * scale_x
    row = (layout.block / 2 - shown.y) * scale_y
    white = luma[int(row), columns.astype(int)] > (BLACK + WHITE) // 2
    number = int("".join("1" if bit else "0" for bit in white[2 : 2 + DATA_BITS]), 2)
    if white.tolist() != encode_bits(number):
        raise CounterError(f"the blocks at x={left} are no frame counter: {white.astype(int).tolist()}")
    return number


def _visible_copy(layout: StripLayout, shown: Rect) -> int:
    right = shown.x + shown.width - BLOCKS * layout.block
    for left in layout.copies():
        if shown.y < layout.block / 4 and shown.x <= left <= right:
            return left
    raise CounterError(f"{shown} shows no whole copy of the frame counter")
