"""Plays ranges of a source faster or slower at their pitch, sample by sample where the plan puts them.

Sound is copied until it would leave its place, then cross-faded to a place near the planned one that sounds like what
was about to come: overlap-add by waveform similarity (WSOLA, Verhelst and Roelands, ICASSP 1993), but only where it is
needed, so a range at its own speed is a copy. Places come from the plan's sums and not from the splice before, so
errors never add up over ranges; a splice goes over their seams as over any other place. Nothing from before the first
range or behind the last one is heard.

A click is heard within 25 ms of its place at 0.25x to 4x. Below 0.35x chords of low notes sound rough: a longer search
would make them smooth and miss that.
"""

from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.render_plan import SoundPiece, SoundRange
from gpu.render.reader import Samples

FADE = 432
"""Samples (9 ms) of a cross-fade, and the step in which the output is made."""
_MOST_OFF = 0.012
_MOST_OFF_HEARD = 0.02
"""Seconds by which a place may miss the planned one: of the source, and of the output where it is slowed down."""
_LAG = 0.01
"""Seconds by which a standstill would be played late. Slowed down, sound repeats, and counts from its first time on."""
_TEMPLATE = 600
_LOUDNESS_WEIGHT = 1.0
"""Of the share of loudness that a splice keeps, against similarity (-1 to 1): clicks must not fall between splices."""
_LONGEST_COPY = 64 * FADE
_ROUNDING = 2
"""Samples of silence by which a copy may be longer than its range."""
_MARGIN = 4096
_REFILL = 24_000
_SILENT = 1e-6
"""Mean square below which there is nothing to compare."""


def reach(pieces: Sequence[SoundPiece]) -> SoundRange:
    """The samples of the source that `stretched` wants: the pieces, and a little before them to compare with."""
    first, last = pieces[0].source, pieces[-1].source
    start = first.start_sample - _MARGIN
    return SoundRange(start, last.start_sample + last.sample_count - start)


def stretched(pieces: Sequence[SoundPiece], sound: Iterator[Samples]) -> Generator[Samples]:
    """Each piece's range on its `count` samples, without a gap or a click between them, in blocks of shape (2, n).

    `sound` holds `reach(pieces)`, contiguous; what it lacks is silence. Raises ValueError when pieces go back in the
    source.
    """
    aim, tape = _Aim(pieces), _Tape(reach(pieces).start_sample, sound)
    written, place = 0, pieces[0].source.start_sample
    while written < aim.count:
        if steps := aim.steps_on_course(written, place):
            block = tape.read(place, steps * FADE)
            place += block.shape[1]
        else:
            chosen = _best_splice(aim, tape, written, place)
            block = tape.read(place, FADE) * _FALL + tape.read(chosen, FADE) * _RISE
            place = chosen + FADE
        yield block[:, : aim.count - written]
        written += block.shape[1]
        tape.forget(min(place, aim.earliest(written)) - _MARGIN)


_RISE: npt.NDArray[np.float32] = (np.sin((np.arange(FADE) + 0.5) / FADE * np.pi / 2) ** 2).astype(np.float32)
_FALL = 1 - _RISE


class _Aim:
    """Which place of the source belongs to a sample of the output, and by how much it may be missed."""

    def __init__(self, pieces: Sequence[SoundPiece]) -> None:
        sources = [piece.source for piece in pieces]
        for before, after in pairwise(sources):
            if after.start_sample < before.start_sample:
                raise ValueError(f"sound from {after.start_sample} on comes after that from {before.start_sample} on")
        *self._starts, self.count = accumulate((piece.count for piece in pieces), initial=0)
        self._places = [source.start_sample for source in sources]
        self.begin, self.end = self._places[0], sources[-1].start_sample + sources[-1].sample_count
        self._speeds = [piece.source.sample_count / piece.count for piece in pieces]

    def speed(self, written: float) -> float:
        return self._speeds[self._piece(written)]

    def place(self, written: float) -> float:
        """Of output sample `written`; after the last one it goes on at the last speed."""
        piece = self._piece(written)
        speed = self._speeds[piece]
        return self._places[piece] + (written - self._starts[piece]) * speed - max(0, 1 - speed) * _LAG * SAMPLE_RATE

    def earliest(self, written: int) -> int:
        """The first place that is due at `written` or later; ranges may begin before the one before them ends."""
        following = self._places[self._piece(written) + 1 :]
        return min([int(self.place(written)), *following[:1]])

    def tolerance(self, written: float) -> float:
        """Samples of the source."""
        return min(_MOST_OFF, self.speed(written) * _MOST_OFF_HEARD) * SAMPLE_RATE

    def steps_on_course(self, written: int, place: int) -> int:
        """Steps that can be copied from `place` on: the cross-fade that may follow is half done within tolerance.

        At its end, too, a clip keeps inside its ranges.
        """
        most = min(_LONGEST_COPY, self.count - written)
        suffices = place + self.count - written <= self.end + _ROUNDING
        for done in range(0, most, FADE):
            middle = written + done + 1.5 * FADE
            is_off = abs(place + done + 1.5 * FADE - self.place(middle)) > self.tolerance(middle)
            if is_off or not (suffices or place + done + 2 * FADE <= self.end):
                return done // FADE
        return -(-most // FADE)

    def _piece(self, written: float) -> int:
        return min(max(bisect_right(self._starts, written) - 1, 0), len(self._starts) - 1)


class _Tape:
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


def _best_splice(aim: _Aim, tape: _Tape, written: int, place: int) -> int:
    """Where to go on from, over a cross-fade that begins now, instead of from `place`."""
    middle = written + FADE / 2
    centre, tolerance = aim.place(middle) - FADE / 2, aim.tolerance(middle)
    last = max(aim.begin, aim.end - 2 * FADE)
    lowest, highest = (min(max(round(place), aim.begin), last) for place in (centre - tolerance, centre + tolerance))
    count = highest - lowest + 1
    before = (_TEMPLATE - FADE) // 2
    template = tape.read(place - before, _TEMPLATE)
    score = _similarity(template, tape.read(lowest - before, _TEMPLATE + count - 1))
    if aim.speed(middle) > 1:
        score = score + _LOUDNESS_WEIGHT * _kept_loudness(tape.read(lowest, count - 1 + 2 * FADE))
    return lowest + int(score.argmax())


def _similarity(template: Samples, region: Samples) -> npt.NDArray[np.float64]:
    """Normalised correlation of the template with every place of the region at which it fits."""
    length = template.shape[1]
    size = 1 << (region.shape[1] - 1).bit_length()
    spectra = np.fft.rfft(region, size) * np.fft.rfft(template, size).conj()
    products = np.fft.irfft(spectra.sum(axis=0), size)[: region.shape[1] - length + 1]
    powers = _power_of_windows(region, length) + _SILENT * length
    return np.asarray(products / np.sqrt(powers * (_power(template).sum() + _SILENT * length)), np.float64)


def _kept_loudness(region: Samples) -> npt.NDArray[np.float64]:
    """For every place in the region, two cross-fades before its end: the share of power that is well heard from it."""
    windows = _power_of_windows(region[:, FADE // 2 : -FADE // 2], FADE)
    return np.asarray(windows / (_power(region).sum() + _SILENT), np.float64)


def _power_of_windows(samples: Samples, length: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(_power(samples))))
    return np.asarray(sums[length:] - sums[:-length], np.float64)


def _power(samples: Samples) -> npt.NDArray[np.float64]:
    return np.asarray(np.square(samples, dtype=np.float64).sum(axis=0), np.float64)
