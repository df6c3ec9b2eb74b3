"""Chooses what is copied: from an IDR picture on, the longest run of packets that shows every frame once.

Any run in decoding order from an IDR picture can be decoded: references point back only. It may be cut wherever the
pictures so far are shown without a hole, so without reordered pictures nothing behind it is left to encode.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.packet import Packet
from av.video.stream import VideoStream

from gpu.render.smart.closed import frame_of
from gpu.render.smart.nal import IDR, PPS, SLICE, SPS, NalError, nal_type, split_lengths
from gpu.render.smart.parameters import ParameterSets
from gpu.render.smart.reason import NotCopyable, Reason

_MOST_REORDERED = 16
"""Pictures that a decoder holds back (H.264, A.3.1)."""
_CODED = frozenset({SLICE, IDR})
_HARMLESS = frozenset({6, 9, 12})
"""Supplemental information, access unit delimiters and filler."""


@dataclass(frozen=True)
class Copied:
    """A packet as the source has it; `frame` counts on the source's grid."""

    data: bytes
    frame: int
    is_idr: bool


class Run:
    """Takes a source's packets in decoding order from the IDR picture of frame `first` on."""

    def __init__(self, first: int, end: int, zero: Fraction, rate: Fraction, sets: ParameterSets) -> None:
        self._first, self._end = first, end
        self._zero, self._rate = zero, rate
        self._allowed = frozenset((*sets.sps, *sets.pps))
        self._shown: set[int] = set()
        self._taken = self.usable = 0
        self._last = first - 1

    @property
    def begun(self) -> bool:
        return self._taken > 0

    @property
    def done(self) -> bool:
        """Whether no further packet can belong to the run."""
        return self._taken >= self._end - self._first

    @property
    def copied_end(self) -> int:
        """The frame after the last one that the first `usable` packets show."""
        return self._first + self.usable

    def take(self, packet: "Packet[VideoStream]") -> Copied:
        """Checks the next packet; raises NotCopyable."""
        if packet.is_corrupt:
            raise NotCopyable(Reason.DAMAGED)
        if packet.has_sidedata("new_extradata"):
            raise NotCopyable(Reason.PARAMETER_SETS)
        copied = self._checked(bytes(packet), frame_of(packet, self._zero, self._rate))
        self._shown.add(copied.frame)
        self._taken += 1
        self._last = max(self._last, copied.frame)
        if self._last == self._first + self._taken - 1:
            self.usable = self._taken
        return copied

    def _checked(self, data: bytes, frame: int) -> Copied:
        is_late = frame > self._first + self._taken + _MOST_REORDERED
        if frame < self._first or frame in self._shown or is_late:
            raise NotCopyable(Reason.TIMESTAMPS)
        kinds = {self._kind(unit) for unit in _units(data)}
        if len(kinds & _CODED) != 1 or not kinds <= {*_CODED, *_HARMLESS, SPS, PPS}:
            raise NotCopyable(Reason.DAMAGED)
        if frame == self._first and IDR not in kinds:
            raise NotCopyable(Reason.OPEN_GOP)
        return Copied(data, frame, IDR in kinds)

    def _kind(self, unit: bytes) -> int:
        kind = nal_type(unit)
        if kind in (SPS, PPS) and unit not in self._allowed:
            raise NotCopyable(Reason.PARAMETER_SETS)
        return kind


def _units(data: bytes) -> Iterator[bytes]:
    try:
        yield from split_lengths(data)
    except NalError as error:
        raise NotCopyable(Reason.DAMAGED) from error
