"""The one function that says how long a result becomes; the page, the price, the renderer and the tests all ask it.

Lengths are integers from cumulative rounding: samples are counted from the start of the result, so those of the clips
in it add up to those of the whole.
"""

from dataclasses import dataclass
from fractions import Fraction

from gpu.plan.spec import EditSpec, ProbeInfo
from gpu.plan.timeline import output_rate, timeline

SAMPLE_RATE = 48_000
"""Samples a second of the rendered sound."""


@dataclass(frozen=True)
class Duration:
    """Length of what comes out: frames at `fps_num / fps_den`, milliseconds, and samples of sound beside them."""

    frame_count: int
    fps_num: int
    fps_den: int
    duration_ms: int
    sample_count: int


def duration(spec: EditSpec, *probes: ProbeInfo) -> Duration:
    """Length of the result, sound or not: sum(interval within trim / speed) without what dissolves overlap.

    `probes[i]` are the facts of source i. It does not check that the edit fits its sources: where that matters, as in
    a price, `check_spec` comes first.
    """
    rate = output_rate(spec, probes)
    frames = timeline(spec, probes)[-1].end
    milliseconds = nearest(frames * rate.denominator * 1000, rate.numerator)
    return Duration(frames, rate.numerator, rate.denominator, milliseconds, sample_at(frames, rate))


def sample_at(frame: int, rate: Fraction) -> int:
    """The sample at which a frame of `rate` a second starts, counted from the start of frame 0."""
    return nearest(frame * rate.denominator * SAMPLE_RATE, rate.numerator)


def nearest(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
