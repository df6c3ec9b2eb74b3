"""Cuts decoded sound to an exact number of samples: silence where the source has none, nothing twice."""

from collections.abc import Iterator

import numpy as np

from gpu.plan.render_plan import SoundRange
from gpu.render.reader import Samples, Sound

LARGEST_JITTER = 960
"""Samples (20 ms) by which timestamps may wander before the sound is moved to where they say."""
_SILENCE_BLOCK = 48_000


class Soundtrack:
    """Takes sound in order and gives back contiguous samples, `wanted.sample_count` of them in all."""

    def __init__(self, wanted: SoundRange) -> None:
        self._end = wanted.start_sample + wanted.sample_count
        self._written = wanted.start_sample
        self._expected: int | None = None

    @property
    def done(self) -> bool:
        """Whether all samples were handed out."""
        return self._written >= self._end

    def add(self, sound: Sound) -> Iterator[Samples]:
        """The samples that follow those handed out so far."""
        position = sound.position
        if self._expected is not None and abs(position - self._expected) <= LARGEST_JITTER:
            position = self._expected
        self._expected = position + sound.samples.shape[1]
        yield from self._silence_until(min(position, self._end))
        part = sound.samples[:, max(0, self._written - position) : max(0, self._end - position)]
        if part.shape[1]:
            self._written += part.shape[1]
            yield part

    def finish(self) -> Iterator[Samples]:
        """Silence up to the end."""
        yield from self._silence_until(self._end)

    def _silence_until(self, position: int) -> Iterator[Samples]:
        while self._written < position:
            count = min(_SILENCE_BLOCK, position - self._written)
            self._written += count
            yield np.zeros((2, count), np.float32)
