"""The one function that says how long a clip becomes; the page, the price, the renderer and the tests all ask it.

Lengths are integers from cumulative rounding: the sum over neighbouring ranges is the length of the whole.
"""

from dataclasses import dataclass

from gpu.plan.spec import EditSpec, ProbeInfo

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


def duration(spec: EditSpec, probe: ProbeInfo) -> Duration:
    """Length of the rendered clip, sound or not; it does not check that the range lies inside the source."""
    frames = spec.out_frame - spec.in_frame
    samples = sample_at(spec.out_frame, probe) - sample_at(spec.in_frame, probe)
    milliseconds = nearest(frames * probe.fps_den * 1000, probe.fps_num)
    return Duration(frames, probe.fps_num, probe.fps_den, milliseconds, samples)


def sample_at(frame: int, probe: ProbeInfo) -> int:
    """The sample at which a frame starts, counted from the start of frame 0."""
    return nearest(frame * probe.fps_den * SAMPLE_RATE, probe.fps_num)


def nearest(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
