"""The source's sound, of which only what is still needed is kept."""

from collections.abc import Iterator

import numpy as np

from gpu.render.reader import Samples

_REFILL = 24_000


class Tape:
    """A window that moves over contiguous samples, with silence after them."""

    def __init__(self, start: int, sound: Iterator[Samples]) -> None:
        self._start, self._sound = start, sound
        self._kept: Samples = np.zeros((2, 0), np.float32)

    def read(self, first: int, count: int) -> Samples:
        """Samples [first, first + count) of the source, which are not forgotten yet."""
        if first < self._start:
            raise ValueError(f"sample {first} of the source was forgotten up to {self._start}")
        self._fill(first + count)
        part = self._kept[:, first - self._start : first + count - self._start]
        return part if part.shape[1] == count else np.pad(part, ((0, 0), (0, count - part.shape[1])))

    def forget(self, end: int) -> None:
        """Samples before `end` are not read any more."""
        if end - self._start > _REFILL:
            dropped = min(end - self._start, self._kept.shape[1])
            self._kept = self._kept[:, dropped:].copy()
            self._start += dropped

    def _fill(self, end: int) -> None:
        if end <= (have := self._start + self._kept.shape[1]):
            return
        blocks = [self._kept]
        while have < end + _REFILL and (block := next(self._sound, None)) is not None:
            blocks.append(block)
            have += block.shape[1]
        self._kept = np.concatenate(blocks, axis=1)
