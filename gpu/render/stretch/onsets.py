"""The onsets that are coming, looked up ahead."""

from collections import deque

from gpu.render.stretch.aim import LONGEST_COPY, Aim
from gpu.render.stretch.ear import Ear
from gpu.render.stretch.onset import NO_ECHO, Onset
from gpu.render.stretch.splice import FADE, SHORTEST_FADE

_ONSETS_APART = 480
_SEARCH = 4_800
"""Samples of the output for which onsets are looked up at once."""


class Onsets:
    """The onsets of the output in order, each on its sample."""

    def __init__(self, aim: Aim, ear: Ear) -> None:
        self._aim, self._ear = aim, ear
        self._coming: deque[Onset] = deque()
        self._searched = aim.count if aim.is_copy else 0
        self.last: Onset | None = None
        """The last one that was heard at its place."""

    def next_after(self, written: int) -> Onset | None:
        """None stands for one that is too far away to matter, too."""
        while self._searched < min(self._aim.count, written + LONGEST_COPY + 2 * _ONSETS_APART):
            self._search()
        while self._coming and self._coming[0].due <= written:
            self._coming.popleft()
        return self._coming[0] if self._coming else None

    def leave(self, heard: bool) -> None:
        """Goes on to the one after the next."""
        onset = self._coming.popleft()
        if heard:
            self.last = onset

    def fade_until(self, onset: Onset | None) -> int:
        """Length of cross-fades of which two fit between the last onset and this one."""
        first = self._aim.begin if self.last is None else self.last.place + NO_ECHO
        end = self._aim.end if onset is None else onset.place
        return FADE if end < first else min(FADE, max(SHORTEST_FADE, (end - first) // 2))

    def forget(self, end: int) -> None:
        self._ear.forget(end)

    def _search(self) -> None:
        outputs, places = self._aim.in_piece(self._searched, _SEARCH)
        for place, power in self._ear.heard(places.start, places.stop):
            onset = Onset(place, self._aim.due(place, outputs.start), power)
            if self._coming and onset.due - self._coming[-1].due < _ONSETS_APART:
                if power <= self._coming[-1].power:
                    continue
                self._coming.pop()
            self._coming.append(onset)
        self._searched = outputs.stop
