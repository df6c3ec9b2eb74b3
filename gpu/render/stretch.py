"""Plays ranges of a source faster or slower at their pitch, sample by sample where the plan puts them.

Sound is copied until it would leave its place, then cross-faded to a place near the planned one that sounds like what
was about to come: overlap-add by waveform similarity (WSOLA, Verhelst and Roelands, ICASSP 1993), but only where it is
needed, so a range at its own speed is a copy. Places come from the plan's sums and not from the splice before, so
errors never add up over ranges; a splice goes over their seams as over any other place. Nothing from before the first
range or behind the last one is heard.

Where sound suddenly gets loud, as with a kick or a whistle, it is copied around that moment, which comes within 4 ms
of its place at 0.25x to 4x, and once: no splice reads past it before it is due or back to it afterwards. What gets
louder slowly, or hardly, is within 25 ms, and so is what follows a codec's loud pre-echo. Of moments less than 16 ms of
the source or 10 ms of the result apart only the first or the loudest is looked after; of a retimed clip's first and
last 7 ms none is. Below 0.35x chords of low notes sound rough: a longer search would make them smooth and miss their
places.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.render_plan import SoundPiece, SoundRange
from gpu.render.reader import Samples

FADE = 432
"""Samples (9 ms) of a cross-fade, and the step in which the output is made."""
_SHORTEST_FADE = 96
"""Where onsets are close to each other."""
_MOST_OFF = 0.012
_MOST_OFF_HEARD = 0.02
_MOST_OFF_COPIED = 0.004
"""Seconds by which a place may miss the planned one: of the source, of the output where it is slowed down, and at its
own speed, where it stays as far off as it begins."""
_TEMPLATE = 600
_LOUDNESS_WEIGHT = 1.0
"""Of the share of loudness that a splice keeps, against similarity (-1 to 1): clicks must not fall between splices."""
_LONGEST_COPY = 16 * FADE
_ROUNDING = 2
"""Samples of silence by which a copy may be longer than its range."""
_MARGIN = 4096
_REFILL = 24_000
_SILENT = 1e-6
"""Mean square below which there is nothing to compare."""
_BEFORE_ONSET, _AFTER_ONSET = 72, 240
"""Samples that are copied as they are around an onset."""
_NO_ECHO = 48
"""Samples after an onset up to which later splices do not go back: a cross-fade hides what follows of its attack."""
_ONSET_OFF = 48
"""Samples by which an onset may miss its place, so that the splice before it can fit."""
_ONSETS_APART = 480
_SEARCH = 4_800
"""Samples of the output for which onsets are looked up at once."""


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
    onsets = _Onsets(aim, _Ear(tape, reach(pieces).start_sample))
    written, place = 0, aim.begin
    while written < aim.count:
        onset = onsets.next_after(written)
        fade = onsets.fade_until(onset)
        if onset is not None and onset.steps_before(written, fade) < 1:
            block = _led_to(onset, aim, tape, fade, written, place)
            onsets.leave(heard=block is not None)
            if block is None:
                continue
        elif steps := aim.steps_on_course(written, place, fade, onset):
            block = _Block(tape.read(place, steps * fade), place + steps * fade)
        else:
            lowest, highest = aim.splices(written, fade, onsets.last, onset)
            chosen = _best_splice(tape, place, fade, range(lowest, highest + 1), aim.speed(written + fade / 2) > 1)
            block = _spliced(tape, place, chosen, fade, fade)
        yield block.samples[:, : aim.count - written]
        written += block.samples.shape[1]
        place = block.place
        done = min(place, aim.earliest(written)) - _MARGIN
        tape.forget(done)
        onsets.forget(done)


class _Block(NamedTuple):
    """Samples of the output, and the place in the source from which they go on."""

    samples: Samples
    place: int


class _Onset(NamedTuple):
    """A sample of the source at which it suddenly gets loud, and the sample of the output at which that is due."""

    place: int
    due: int
    power: float

    def steps_before(self, written: int, fade: int) -> int:
        """Whole cross-fades that fit before the one that leads to it."""
        return (self.due - _BEFORE_ONSET - fade - written) // fade


def _led_to(onset: _Onset, aim: "_Aim", tape: "_Tape", fade: int, written: int, place: int) -> _Block | None:
    """Up to and over the onset, which comes when it is due; None where it would be heard twice or cut."""
    left = onset.due - written
    start = onset.place - left
    count = left + _AFTER_ONSET
    if abs(place - start) <= _ONSET_OFF:
        return _Block(tape.read(place, count), place + count)
    fade = min(fade, left - _BEFORE_ONSET, onset.place - place)
    is_last = aim.speed(onset.due) < 1 and onset.place + _AFTER_ONSET + _SHORTEST_FADE > aim.end
    if fade < _SHORTEST_FADE or is_last:
        return None
    lowest, highest = (max(start + off, aim.begin) for off in (-_ONSET_OFF, _ONSET_OFF))
    chosen = _best_splice(tape, place, fade, range(lowest, highest + 1), False)
    return _spliced(tape, place, chosen, fade, count)


def _spliced(tape: "_Tape", place: int, chosen: int, fade: int, count: int) -> _Block:
    """`count` samples from `chosen` on, to which the first `fade` lead over from those at `place`."""
    rise = _rise(fade)
    samples = tape.read(chosen, count).copy()
    samples[:, :fade] = tape.read(place, fade) * (1 - rise) + samples[:, :fade] * rise
    return _Block(samples, chosen + count)


@cache
def _rise(count: int) -> npt.NDArray[np.float32]:
    return (np.sin((np.arange(count) + 0.5) / count * np.pi / 2) ** 2).astype(np.float32)


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
        self._tolerances = [
            SAMPLE_RATE * (_MOST_OFF_COPIED if speed == 1 else min(_MOST_OFF, speed * _MOST_OFF_HEARD))
            for speed in self._speeds
        ]

    @property
    def is_copy(self) -> bool:
        """Whether all is one range at its own speed."""
        lengths = [after - before for before, after in pairwise([*self._starts, self.count])]
        ends = [place + length for place, length in zip(self._places, lengths, strict=True)]
        return ends == [*self._places[1:], self.end]

    def speed(self, written: float) -> float:
        return self._speeds[self._piece(written)]

    def place(self, written: float) -> float:
        """Of output sample `written`; after the last one it goes on at the last speed."""
        return self._place(self._piece(written), written)

    def earliest(self, written: int) -> int:
        """The first place that is due at `written` or later; ranges may begin before the one before them ends."""
        piece = self._piece(written)
        steady = int(self._steady(piece, written))
        return min(steady, self._places[piece + 1]) if piece + 1 < len(self._places) else steady

    def in_piece(self, written: int, count: int) -> tuple[range, range]:
        """At most `count` samples of the output from `written` on that are of one piece, and those of its source."""
        piece = self._piece(written)
        end = min([written + count, self.count, *self._starts[piece + 1 : piece + 2]])
        first, last = (
            self._places[piece] + math.ceil((at - self._starts[piece]) * self._speeds[piece]) for at in (written, end)
        )
        return range(written, end), range(first, last)

    def due(self, place: int, near: int) -> int:
        """The output's sample for a place in the piece that is heard at `near`."""
        piece = self._piece(near)
        return self._starts[piece] + round((place - self._places[piece]) / self._speeds[piece])

    def steps_on_course(self, written: int, place: int, fade: int, onset: _Onset | None) -> int:
        """Steps that can be copied from `place` on: the cross-fade that may follow is half done within tolerance.

        At its end, too, a clip keeps inside its ranges, and before an onset, before it.
        """
        steps = -(-min(_LONGEST_COPY, self.count - written) // fade)
        if onset is not None:
            steps = min(steps, onset.steps_before(written, fade))
            if self._is_ahead(onset, written) and abs(onset.place - place - onset.due + written) > _ONSET_OFF:
                steps = min(steps, (onset.place - place) // fade - 1)
        suffices = place + self.count - written <= self.end + _ROUNDING
        for done in range(0, steps * fade, fade):
            middle = written + done + 1.5 * fade
            piece = self._piece(middle)
            is_off = abs(place + done + 1.5 * fade - self._steady(piece, middle)) > self._tolerances[piece]
            if is_off or not (suffices or place + done + 2 * fade <= self.end):
                return done // fade
        return max(steps, 0)

    def splices(self, written: int, fade: int, last: _Onset | None, onset: _Onset | None) -> tuple[int, int]:
        """The first and the last place to which a cross-fade may go that begins now, between these two onsets."""
        middle = written + fade / 2
        piece = self._piece(middle)
        centre, tolerance = self._steady(piece, middle) - fade / 2, self._tolerances[piece]
        latest = cap = max(self.begin, self.end - 2 * fade)
        floor = self.begin
        if last is not None and not self._is_ahead(last, middle):
            floor = last.place + _NO_ECHO
        if onset is not None and self._is_ahead(onset, middle):
            cap = min(cap, onset.place - 2 * fade)
        lowest, highest = centre - tolerance, centre + tolerance
        if lowest < floor:
            lowest, highest = floor, max(highest, floor + 2 * tolerance)
        if highest > cap:
            lowest, highest = max(min(lowest, cap - 2 * tolerance), floor), cap
        first, final = (min(max(round(one), self.begin), latest) for one in (lowest, highest))
        return min(first, final), final

    def _place(self, piece: int, written: float) -> float:
        return self._places[piece] + (written - self._starts[piece]) * self._speeds[piece]

    def _steady(self, piece: int, written: float) -> float:
        """Where lasting sound should be read. Slowed down, it repeats, and counts from its first time on."""
        return self._place(piece, written) - max(0, 1 - self._speeds[piece]) * self._tolerances[piece]

    def _is_ahead(self, onset: _Onset, written: float) -> bool:
        """In the source: a range may begin before the one before it ends."""
        return onset.place > self.place(written)

    def _piece(self, written: float) -> int:
        return min(max(bisect_right(self._starts, written) - 1, 0), len(self._starts) - 1)


class _Onsets:
    """The onsets of the output in order, each on its sample."""

    def __init__(self, aim: _Aim, ear: "_Ear") -> None:
        self._aim, self._ear = aim, ear
        self._coming: deque[_Onset] = deque()
        self._searched = aim.count if aim.is_copy else 0
        self.last: _Onset | None = None
        """The last one that was heard at its place."""

    def next_after(self, written: int) -> _Onset | None:
        """None stands for one that is too far away to matter, too."""
        while self._searched < min(self._aim.count, written + _LONGEST_COPY + 2 * _ONSETS_APART):
            self._search()
        while self._coming and self._coming[0].due <= written:
            self._coming.popleft()
        return self._coming[0] if self._coming else None

    def leave(self, heard: bool) -> None:
        """Goes on to the one after the next."""
        onset = self._coming.popleft()
        if heard:
            self.last = onset

    def fade_until(self, onset: _Onset | None) -> int:
        """Length of cross-fades of which two fit between the last onset and this one."""
        first = self._aim.begin if self.last is None else self.last.place + _NO_ECHO
        end = self._aim.end if onset is None else onset.place
        return FADE if end < first else min(FADE, max(_SHORTEST_FADE, (end - first) // 2))

    def forget(self, end: int) -> None:
        self._ear.forget(end)

    def _search(self) -> None:
        outputs, places = self._aim.in_piece(self._searched, _SEARCH)
        for place, power in self._ear.heard(places.start, places.stop):
            onset = _Onset(place, self._aim.due(place, outputs.start), power)
            if self._coming and onset.due - self._coming[-1].due < _ONSETS_APART:
                if power <= self._coming[-1].power:
                    continue
                self._coming.pop()
            self._coming.append(onset)
        self._searched = outputs.stop


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


class _Ear:
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

    def __init__(self, tape: _Tape, start: int) -> None:
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
        before = _highest(energy[: self._COMPARED + self._CHUNK - 1], self._COMPARED) + _SILENT * self._FRAME
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


def _best_splice(tape: _Tape, place: int, fade: int, places: range, keeps_loudness: bool) -> int:
    """Which of these places to go on from, over a cross-fade that begins now, instead of from `place`."""
    before = (_TEMPLATE - fade) // 2
    template = tape.read(place - before, _TEMPLATE)
    score = _similarity(template, tape.read(places.start - before, _TEMPLATE + len(places) - 1))
    if keeps_loudness:
        score = score + _LOUDNESS_WEIGHT * _kept_loudness(tape.read(places.start, len(places) - 1 + 2 * FADE))
    return places.start + int(score.argmax())


def _similarity(template: Samples, region: Samples) -> npt.NDArray[np.float64]:
    """Normalised correlation of the template with every place of the region at which it fits."""
    length = template.shape[1]
    size = _fast_length(region.shape[1])
    spectra = np.fft.rfft(region, size) * np.fft.rfft(template, size).conj()
    products = np.fft.irfft(spectra.sum(axis=0), size)[: region.shape[1] - length + 1]
    powers = _power_of_windows(region, length) + _SILENT * length
    return np.asarray(products / np.sqrt(powers * (_power(template).sum() + _SILENT * length)), np.float64)


@cache
def _fast_length(least: int) -> int:
    """The next number of which a Fourier transform is fast: a power of two, or 5 / 8 or 3 / 4 of one."""
    power = 1 << (least - 1).bit_length()
    return min(length for length in (power * 5 // 8, power * 3 // 4, power) if length >= least)


def _kept_loudness(region: Samples) -> npt.NDArray[np.float64]:
    """For every place in the region, two cross-fades before its end: the share of power that is well heard from it."""
    windows = _power_of_windows(region[:, FADE // 2 : -FADE // 2], FADE)
    return np.asarray(windows / (_power(region).sum() + _SILENT), np.float64)


def _power_of_windows(samples: Samples, length: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(_power(samples))))
    return np.asarray(sums[length:] - sums[:-length], np.float64)


def _power(samples: Samples) -> npt.NDArray[np.float64]:
    return np.asarray(np.square(samples, dtype=np.float64).sum(axis=0), np.float64)
