"""Where every clip and every interval of one speed lies in the result, in whole frames.

Ends of intervals are rounded from the exact sum before them, so errors never add up: a clip's length is the nearest
whole number to `sum(|interval within trim| / speed)`, in frames of the output. An output frame shows what is due at its
middle, so no picture comes more than half an output frame early or late within its interval.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gpu.plan.spec import ClipEdit, EditSpec, ProbeInfo


@dataclass(frozen=True)
class Span:
    """Frames [clip_frame, clip_frame + clip_count) of a clip that play on `count` frames from its `first` frame on."""

    clip_frame: int
    clip_count: int
    percent: int
    first: int
    count: int

    def clip_time(self, index: int) -> float:
        """The moment of the clip at the middle of output frame `index` of the span, where n is the middle of frame n.

        At equal counts it is the frame's own number. Slower, it reaches from up to half a frame before the span's first
        frame to up to half a frame behind its last.
        """
        return self.clip_frame + (self._doubled(index) - self.count) / (2 * self.count)

    def source_offset(self, index: int) -> int:
        """The frame of the clip within which the middle of output frame `index` lies; the later one at an edge."""
        return self.clip_frame + self._doubled(index) // (2 * self.count)

    def _doubled(self, index: int) -> int:
        """Frames of the clip from the span's start to the middle of an output frame, times 2 `count`: an integer."""
        return (2 * index + 1) * self.clip_count


@dataclass(frozen=True)
class Placement:
    """A clip in the result: its first output frame and the spans that fill it."""

    first: int
    spans: tuple[Span, ...]

    @property
    def count(self) -> int:
        return self.spans[-1].first + self.spans[-1].count if self.spans else 0

    @property
    def end(self) -> int:
        return self.first + self.count


def output_rate(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Fraction:
    """Frames a second of the result: the one asked for, or that of the first clip's source."""
    if spec.rate is not None:
        return Fraction(spec.rate.num, spec.rate.den)
    return source_rate(probes[spec.clips[0].source])


def source_rate(probe: ProbeInfo) -> Fraction:
    return Fraction(probe.fps_num, probe.fps_den)


def timeline(spec: EditSpec, probes: Sequence[ProbeInfo]) -> list[Placement]:
    """One placement for each clip. A clip that begins with a dissolve overlaps the one before it."""
    rate = output_rate(spec, probes)
    overlap = spec.transition.frames if spec.transition.kind == "dissolve" else 0
    placements: list[Placement] = []
    first = 0
    for clip in spec.clips:
        placement = Placement(first, tuple(_spans(clip, rate / source_rate(probes[clip.source]))))
        placements.append(placement)
        first = placement.end - overlap
    return placements


def speeds(clip: ClipEdit) -> list[tuple[int, int, int]]:
    """Half-open intervals of the clip inside its trim, each with its speed in percent, which differs from the last's.

    A split alone changes nothing: neighbours of one speed are one interval.
    """
    retime, trim = clip.retime, clip.trim
    edges = retime.boundaries if retime else (0, clip.frame_count)
    percents = retime.speeds_percent if retime else (100,)
    start, end = (trim.in_frame, trim.out_frame) if trim else (0, clip.frame_count)
    kept = [
        (max(left, start), min(right, end), percent)
        for left, right, percent in zip(edges, edges[1:], percents, strict=False)
    ]
    merged: list[tuple[int, int, int]] = []
    for left, right, percent in kept:
        if left < right:
            joins = bool(merged) and merged[-1][2] == percent
            merged.append((merged.pop()[0] if joins else left, right, percent))
    return merged


def _spans(clip: ClipEdit, output_per_source: Fraction) -> Iterator[Span]:
    exact, first = Fraction(0), 0
    for start, end, percent in speeds(clip):
        exact += (end - start) * output_per_source * Fraction(100, percent)
        count = int(exact + Fraction(1, 2)) - first
        if count:
            yield Span(start, end - start, percent, first, count)
            first += count
