"""The smoothing spline: it stays near the keyframes and bends as little as it can.

For knots t, values y and weights w it is the function g with the least

    sum of w[i] * (y[i] - g(t[i]))^2  +  (period / 2 pi)^4 * integral of g''(t)^2 dt

a natural cubic spline (Reinsch 1967). A knot weighs as much as the time that is nearer to it than to others, so a path
that is sampled more finely becomes the same curve. A movement that repeats once in `period` then keeps half of its
size, a slower one more, a faster one less: by 1 / (1 + (period / its own period)^4).

Reinsch's equations lose up to 16 * (period / 2 pi spacing)^4 of a double's digits: 0.003 pixels over 5000 keyframes. So
the sum is made least by orthogonal elimination knot by knot, in linear time, with errors below 1e-9 of the values.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

MIDDLE_SECONDS = 2.0
"""The period at the middle of the slider."""
_SHORTEST_PERIOD = 1e-6
"""Frames; below it the spline meets every keyframe to the last digit, and squares would leave a double's range."""

Values = Sequence[float]
Row = list[float]
"""One equation: coefficients of value and slope of a knot, of value and slope of the next, then each right side."""


class Spline(NamedTuple):
    """A piecewise cubic by its value and its slope, in units a frame, at every knot."""

    values: list[float]
    slopes: list[float]


def period(smoothing: float, frames_per_second: float) -> float:
    """Of the slider's 0 <= `smoothing` <= 1, in frames: from 0 over two seconds' frames to infinity."""
    if smoothing == 1:
        return math.inf
    return MIDDLE_SECONDS * frames_per_second * smoothing / (1 - smoothing)


def smoothed(frames: Sequence[int], channels: Sequence[Values], period: float) -> list[Spline]:
    """One spline for each channel; `channels[j][i]` is its value at frame `frames[i]`, which strictly increase.

    An infinite period gives the straight line of weighted least squares. One or two knots stay as they are.
    """
    weights = _weights(frames)
    if len(frames) < 3 or math.isinf(period):
        return [_line(frames, values, weights) for values in channels]
    equations = _eliminated(frames, channels, weights, max(period, _SHORTEST_PERIOD))
    return [_substituted(equations, 4 + index) for index in range(len(channels))]


def _weights(frames: Sequence[int]) -> list[float]:
    last = len(frames) - 1
    return [(frames[min(index + 1, last)] - frames[max(index - 1, 0)]) / 2 for index in range(last + 1)]


def _line(frames: Sequence[int], values: Values, weights: Values) -> Spline:
    if len(frames) == 1:
        return Spline(list(values), [0.0])
    total = sum(weights)
    time = sum(weight * frame for weight, frame in zip(weights, frames, strict=True)) / total
    value = sum(weight * one for weight, one in zip(weights, values, strict=True)) / total
    spread = sum(weight * (frame - time) ** 2 for weight, frame in zip(weights, frames, strict=True))
    joint = sum(
        weight * (frame - time) * (one - value) for weight, frame, one in zip(weights, frames, values, strict=True)
    )
    slope = joint / spread
    return Spline([value + slope * (frame - time) for frame in frames], [slope] * len(frames))


def _eliminated(
    frames: Sequence[int], channels: Sequence[Values], weights: Values, period: float
) -> list[tuple[Row, Row]]:
    """For each knot two equations that give its value and its slope from the next knot's."""
    stiffness = (period / (2 * math.pi)) ** 2
    solved: list[tuple[Row, Row]] = []
    carried: list[Row] = []
    for index, (frame, weight) in enumerate(zip(frames, weights, strict=True)):
        root = math.sqrt(weight)
        rows = [*carried, [root, 0.0, 0.0, 0.0, *(root * values[index] for values in channels)]]
        if index + 1 < len(frames):
            rows += _bending(frames[index + 1] - frame, stiffness, len(channels))
        _triangulate(rows, 4)
        solved.append((rows[0], rows[1]))
        carried = [[*row[2:4], 0.0, 0.0, *row[4:]] for row in rows[2:4]]
    return solved


def _bending(length: int, stiffness: float, channels: int) -> list[Row]:
    """Equations whose squared errors add up to `stiffness`^2 times the integral of g''^2 over an interval.

    g'' is a straight line there: the first has its mean, the second its rise over the interval / sqrt(12).
    """
    mean = stiffness / math.sqrt(length)
    rise = math.sqrt(3.0) * mean
    slope = 2 * rise / length
    return [[0.0, -mean, 0.0, mean, *([0.0] * channels)], [slope, rise, -slope, rise, *([0.0] * channels)]]


def _triangulate(rows: list[Row], columns: int) -> None:
    """Makes the coefficients below the diagonal 0 by reflections (Householder 1958), which keep the sum of squares.

    The largest goes first: without that, equations of a long period would drown the others' digits.
    """
    for column in range(min(columns, len(rows) - 1)):
        largest = max(range(column, len(rows)), key=lambda index: abs(rows[index][column]))
        rows[column], rows[largest] = rows[largest], rows[column]
        below = rows[column:]
        mirror = [row[column] for row in below]
        norm = math.sqrt(sum(value * value for value in mirror))
        if norm == 0:
            continue
        mirror[0] += math.copysign(norm, mirror[0])
        scale = 1 / (norm * abs(mirror[0]))
        for place in range(column, len(rows[0])):
            part = scale * sum(value * row[place] for value, row in zip(mirror, below, strict=True))
            for value, row in zip(mirror, below, strict=True):
                row[place] -= part * value


def _substituted(equations: Sequence[tuple[Row, Row]], right: int) -> Spline:
    values, slopes = [0.0] * len(equations), [0.0] * len(equations)
    value = slope = 0.0
    for index in reversed(range(len(equations))):
        first, second = equations[index]
        next_slope = (second[right] - second[2] * value - second[3] * slope) / second[1]
        value = (first[right] - first[2] * value - first[3] * slope - first[1] * next_slope) / first[0]
        slope = next_slope
        values[index], slopes[index] = value, slope
    return Spline(values, slopes)
