"""The one place that turns crop keyframes into a rectangle per frame; the golden fixtures hold every other copy to it.

Centre and width are interpolated apart, the height follows from the ratio. `smooth` is a monotone cubic (Fritsch and
Butland 1984): once differentiable and never beyond its two keyframes. It rests where the track starts, ends or holds.
"""

from collections.abc import Sequence
from itertools import pairwise

from gpu.plan.geometry import Rect, Size, fitted_width, placed
from gpu.plan.spec import CropKeyframe, Easing

_Channel = Sequence[float]


def crop_track(keyframes: Sequence[CropKeyframe], frame_count: int, ratio: float, frame: Size) -> list[Rect]:
    """One rectangle of `ratio` (width / height) inside `frame` for each of `frame_count` frames.

    Needs a keyframe. Before the first keyframe and after the last the rectangle stands still.
    """
    times = [keyframe.frame for keyframe in keyframes]
    easings = [keyframe.easing for keyframe in keyframes]
    channels = [
        _interpolated(times, values, easings, frame_count)
        for values in (
            [keyframe.x + keyframe.width / 2 for keyframe in keyframes],
            [keyframe.y + keyframe.height / 2 for keyframe in keyframes],
            [fitted_width(Rect(one.x, one.y, one.width, one.height), ratio) for one in keyframes],
        )
    ]
    return [placed(x, y, width, ratio, frame) for x, y, width in zip(*channels, strict=True)]


def _interpolated(times: Sequence[int], values: _Channel, easings: Sequence[Easing], count: int) -> list[float]:
    """The value at frames 0 .. count - 1."""
    tangents = _tangents(times, values, easings)
    track = [values[0]] * min(times[0], count)
    for index in range(len(times) - 1):
        start, end = times[index], times[index + 1]
        ends = values[index], values[index + 1]
        slopes = tangents[index], tangents[index + 1]
        track.extend(
            _between(easings[index], (at - start) / (end - start), ends, slopes, end - start)
            for at in range(start, min(end, count))
        )
    return track + [values[-1]] * (count - len(track))


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


def _tangents(times: Sequence[int], values: _Channel, easings: Sequence[Easing]) -> list[float]:
    """Speed at each keyframe that a smooth segment beside it arrives with and leaves with."""
    lengths = [later - earlier for earlier, later in pairwise(times)]
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
