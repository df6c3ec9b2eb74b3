"""Finds onsets in the source."""

from collections import deque

import numpy as np
import numpy.typing as npt

from gpu.render.stretch.splice import SILENT
from gpu.render.stretch.tape import Tape


class Ear:
    """Notices where a tape suddenly gets loud; what it answers does not depend on how it is asked.

    Energies of a millisecond are compared, of the sound without most of its low rumble.
    """

    _FRAME = 48
    _COMPARED = 15
    """Frames before: at least a period of the lowest tones, whose energy comes and goes."""
    _ATTACK = 4
    """Frames within which it gets as loud as it must."""
    _SAME = 12
    """Frames within which two are one."""
    _RISE, _LOUD = 2.0, 4.0
    """Times the energy before, at once and within the attack."""
    _LOUDER = 4.0
    """Times the power of the one before which one so close replaces it."""
    _EMPHASIS = 0.9
    _CHUNK = 250

    def __init__(self, tape: Tape, start: int) -> None:
        self._tape, self._start = tape, start + 1
        self._frame = self._COMPARED
        self._noticed: deque[tuple[int, float]] = deque()

    def heard(self, first: int, end: int) -> list[tuple[int, float]]:
        """Places in [first, end), to half a frame, and the power that each one rises to."""
        while self._start + (self._frame - self._SAME) * self._FRAME < end:
            self._listen()
        return [one for one in self._noticed if first <= one[0] < end]

    def forget(self, end: int) -> None:
        while self._noticed and self._noticed[0][0] < end:
            self._noticed.popleft()

    def _listen(self) -> None:
        """To the next chunk of frames."""
        start = self._start + (self._frame - self._COMPARED) * self._FRAME
        count = self._COMPARED + self._CHUNK + self._ATTACK - 1
        sound = self._tape.read(start - 1, count * self._FRAME + 1)
        frames = (sound[:, 1:] - np.float32(self._EMPHASIS) * sound[:, :-1]).reshape(2, count, self._FRAME)
        energy = np.einsum("cij,cij->i", frames, frames)
        before = _highest(energy[: self._COMPARED + self._CHUNK - 1], self._COMPARED) + SILENT * self._FRAME
        peak = _highest(energy[self._COMPARED :], self._ATTACK)
        rises = energy[self._COMPARED : self._COMPARED + self._CHUNK] > self._RISE * before
        for index in np.flatnonzero(rises & (peak > self._LOUD * before)).tolist():
            self._notice(self._start + (self._frame + index) * self._FRAME + self._FRAME // 2, float(peak[index]))
        self._frame += self._CHUNK

    def _notice(self, place: int, power: float) -> None:
        apart = (place - self._noticed[-1][0]) // self._FRAME if self._noticed else self._SAME
        if apart < self._SAME:
            if apart < self._ATTACK or power <= self._LOUDER * self._noticed[-1][1]:
                return
            self._noticed.pop()
        self._noticed.append((place, power))


def _highest(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """Of every `count` values in a row."""
    width = 1
    while width < count:
        step = min(width, count - width)
        values = np.maximum(values[:-step], values[step:])
        width += step
    return values
