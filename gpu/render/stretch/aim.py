"""The way that the plan gives: places of the source by samples of the output."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.render_plan import SoundPiece
from gpu.render.stretch.onset import NO_ECHO, ONSET_OFF, Onset
from gpu.render.stretch.splice import FADE

LONGEST_COPY = 16 * FADE
_MOST_OFF = 0.012
_MOST_OFF_HEARD = 0.02
_MOST_OFF_COPIED = 0.004
"""Seconds by which a place may miss the planned one: of the source, of the output where it is slowed down, and at its
own speed, where it stays as far off as it begins."""
_ROUNDING = 2
"""Samples of silence by which a copy may be longer than its range."""


class Aim:
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

    def steps_on_course(self, written: int, place: int, fade: int, onset: Onset | None) -> int:
        """Steps that can be copied from `place` on: the cross-fade that may follow is half done within tolerance.

        At its end, too, a clip keeps inside its ranges, and before an onset, before it.
        """
        steps = -(-min(LONGEST_COPY, self.count - written) // fade)
        if onset is not None:
            steps = min(steps, onset.steps_before(written, fade))
            if self._is_ahead(onset, written) and abs(onset.place - place - onset.due + written) > ONSET_OFF:
                steps = min(steps, (onset.place - place) // fade - 1)
        suffices = place + self.count - written <= self.end + _ROUNDING
        for done in range(0, steps * fade, fade):
            middle = written + done + 1.5 * fade
            piece = self._piece(middle)
            is_off = abs(place + done + 1.5 * fade - self._steady(piece, middle)) > self._tolerances[piece]
            if is_off or not (suffices or place + done + 2 * fade <= self.end):
                return done // fade
        return max(steps, 0)

    def splices(self, written: int, fade: int, last: Onset | None, onset: Onset | None) -> tuple[int, int]:
        """The first and the last place to which a cross-fade may go that begins now, between these two onsets."""
        middle = written + fade / 2
        piece = self._piece(middle)
        centre, tolerance = self._steady(piece, middle) - fade / 2, self._tolerances[piece]
        latest = cap = max(self.begin, self.end - 2 * fade)
        floor = self.begin
        if last is not None and not self._is_ahead(last, middle):
            floor = last.place + NO_ECHO
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

    def _is_ahead(self, onset: Onset, written: float) -> bool:
        """In the source: a range may begin before the one before it ends."""
        return onset.place > self.place(written)

    def _piece(self, written: float) -> int:
        return min(max(bisect_right(self._starts, written) - 1, 0), len(self._starts) - 1)
