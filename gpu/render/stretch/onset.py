"""A moment at which it suddenly gets loud, and how it is handled."""

from typing import NamedTuple

BEFORE_ONSET, AFTER_ONSET = 72, 240
"""Samples that are copied as they are around an onset."""
NO_ECHO = 48
"""Samples after an onset up to which later splices do not go back: a cross-fade hides what follows of its attack."""
ONSET_OFF = 48
"""Samples by which an onset may miss its place, so that the splice before it can fit."""


class Onset(NamedTuple):
    """A sample of the source at which it suddenly gets loud, and the sample of the output at which that is due."""

    place: int
    due: int
    power: float

    def steps_before(self, written: int, fade: int) -> int:
        """Whole cross-fades that fit before the one that leads to it."""
        return (self.due - BEFORE_ONSET - fade - written) // fade
