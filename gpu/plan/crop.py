"""The crop track: keyframes in, a rectangle for each moment out, of the output's ratio and inside the frame.

Smoothing bends the track, but not what was asked for by name: a `hold` stays a jump, since each part between holds is
smoothed by itself, and a `linear` stretch stays straight between its keyframes' smoothed places.
"""

from collections.abc import Iterator, Sequence

from gpu.plan.geometry import Rect, Size, fitted_width, placed
from gpu.plan.interpolation import Values, interpolated, tangents
from gpu.plan.smoothing import Spline, period, smoothed
from gpu.plan.spec import CropKeyframe, Easing


def crop_track(
    keyframes: Sequence[CropKeyframe],
    times: Values,
    ratio: float,
    frame: Size,
    smoothing: float,
    frames_per_second: float,
) -> list[Rect]:
    """One rectangle of `ratio` (width / height) inside `frame` for each of `times`, in frames of the clip.

    Needs a keyframe. Centre and width are interpolated apart, the height follows from the ratio. What leaves the frame,
    by a rectangle that sticks out or by smoothing, is moved inside, and no width leaves those of the keyframes.
    `frames_per_second` are the clip's; they matter to smoothing only.
    """
    frames = [keyframe.frame for keyframe in keyframes]
    easings = [keyframe.easing for keyframe in keyframes]
    widths = [fitted_width(Rect(one.x, one.y, one.width, one.height), ratio) for one in keyframes]
    channels: list[Values] = [
        [keyframe.x + keyframe.width / 2 for keyframe in keyframes],
        [keyframe.y + keyframe.height / 2 for keyframe in keyframes],
        widths,
    ]
    if smoothing:
        splines = _splines(frames, channels, easings, period(smoothing, frames_per_second))
        tracks = (_smooth_track(frames, spline, easings, smoothing, times) for spline in splines)
    else:
        tracks = (interpolated(frames, values, easings, times) for values in channels)
    narrowest, widest = min(widths), max(widths)
    return [placed(x, y, min(max(width, narrowest), widest), ratio, frame) for x, y, width in zip(*tracks, strict=True)]


def _splines(
    frames: Sequence[int], channels: Sequence[Values], easings: Sequence[Easing], period: float
) -> list[Spline]:
    joined = [Spline([], []) for _ in channels]
    for run in _runs(easings):
        parts = smoothed(frames[run], [values[run] for values in channels], period)
        for whole, part in zip(joined, parts, strict=True):
            whole.values.extend(part.values)
            whole.slopes.extend(part.slopes)
    return joined


def _runs(easings: Sequence[Easing]) -> Iterator[slice]:
    """The keyframes between one hold and the next; the one that holds is the last of its run."""
    start = 0
    for index, easing in enumerate(easings):
        if easing == "hold" or index + 1 == len(easings):
            yield slice(start, index + 1)
            start = index + 1


def _smooth_track(
    frames: Sequence[int], spline: Spline, easings: Sequence[Easing], smoothing: float, times: Values
) -> list[float]:
    """Its speeds at keyframes go from those of the monotone cubic, at no smoothing, to the spline's, at all of it.

    Beside a linear segment they stay the former, which meets the line without a kink.
    """
    segments = easings[:-1]
    speeds = [
        speed if "linear" in segments[max(index - 1, 0) : index + 1] else speed + smoothing * (slope - speed)
        for index, (speed, slope) in enumerate(
            zip(tangents(frames, spline.values, easings), spline.slopes, strict=True)
        )
    ]
    return interpolated(frames, spline.values, easings, times, speeds)
