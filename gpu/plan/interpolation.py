"""The one place that turns keyframes into a value per frame; the golden fixtures hold every other copy to it.

`smooth` is a monotone cubic (Fritsch and Butland 1984): once differentiable and never beyond its two keyframes. It
rests where the track starts, ends or holds. Before the first keyframe and after the last the value stands still.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from gpu.plan.spec import Easing

Values = Sequence[float]


def interpolated(
    frames: Sequence[int],
    values: Values,
    easings: Sequence[Easing],
    times: Values,
    speeds: Values | None = None,
) -> list[float]:
    """The value at each of `times`; `values[i]` is that of the keyframe at `frames[i]`, which strictly increase.

    `speeds`, in units a frame, are those of smooth segments at the keyframes; None takes `tangents`.
    """
    if speeds is None:
        speeds = tangents(frames, values, easings)
    track: list[float] = []
    for time in times:
        index = bisect_right(frames, time) - 1
        if index < 0 or index == len(frames) - 1:
            track.append(values[max(index, 0)])
            continue
        length = frames[index + 1] - frames[index]
        ends, slopes = (values[index], values[index + 1]), (speeds[index], speeds[index + 1])
        track.append(_between(easings[index], (time - frames[index]) / length, ends, slopes, length))
    return track


def _between(
    easing: Easing, part: float, ends: tuple[float, float], tangents: tuple[float, float], length: int
) -> float:
    """The value at `part` (0 .. 1) of one segment of `length` frames."""
    if easing == "hold":
        return ends[0]
    if easing == "linear":
        return ends[0] + (ends[1] - ends[0]) * part
    rest = 1 - part
    return (
        ends[0] * (1 + 2 * part) * rest * rest
        + ends[1] * (3 - 2 * part) * part * part
        + length * (tangents[0] * part * rest * rest - tangents[1] * part * part * rest)
    )


def tangents(frames: Sequence[int], values: Values, easings: Sequence[Easing]) -> list[float]:
    """Speed at each keyframe that a smooth segment beside it arrives with and leaves with."""
    lengths = [later - earlier for earlier, later in pairwise(frames)]
    slopes = [
        0.0 if easing == "hold" else (later - earlier) / length
        for easing, (earlier, later), length in zip(easings, pairwise(values), lengths, strict=False)
    ]
    inner = [
        _joint(slopes[index - 1], slopes[index], lengths[index - 1], lengths[index], easings[index - 1 : index + 1])
        for index in range(1, len(slopes))
    ]
    return [0.0, *inner, 0.0] if slopes else [0.0]


def _joint(before: float, after: float, length_before: int, length_after: int, easings: Sequence[Easing]) -> float:
    """Speed where two segments meet: of their slopes' signs, and at most three times the smooth one's slope."""
    if before * after <= 0:
        return 0.0
    if easings[0] == "linear":
        return _limited(before, 3 * after)
    if easings[1] == "linear":
        return _limited(after, 3 * before)
    weight_before, weight_after = length_before + 2 * length_after, 2 * length_before + length_after
    return (weight_before + weight_after) / (weight_before / before + weight_after / after)


def _limited(value: float, limit: float) -> float:
    return value if abs(value) <= abs(limit) else limit
