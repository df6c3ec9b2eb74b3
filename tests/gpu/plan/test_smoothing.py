"""The smoothing spline against its definition, and what the slider promises."""

import math
import random
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.plan.smoothing import MIDDLE_SECONDS, Spline, period, smoothed
from tests.gpu.plan.specs import repeatable

Array = npt.NDArray[np.float64]
PERIODS = st.sampled_from((0.0, 0.5, 3.0, 20.0, 100.0, 1e4))
SLIDER = (1e-200, 0.001, 0.1, 0.3, 0.5, 0.9, 0.99, 0.999999, 1 - 2**-53, 1.0)


@st.composite
def knots(draw: st.DrawFn, least: int = 3) -> tuple[list[int], list[float]]:
    frames = sorted(draw(st.sets(st.integers(0, 60), min_size=least, max_size=9)))
    return frames, [draw(st.floats(-2000, 2000)) for _ in frames]


def only(splines: list[Spline]) -> Spline:
    (spline,) = splines
    return spline


def weights_of(frames: list[int]) -> Array:
    """Half of the time to the neighbours on both sides."""
    gaps = np.diff(np.array(frames, float))
    return np.asarray((np.append(gaps, 0) + np.append(0, gaps)) / 2)


def bending(frames: list[int]) -> Array:
    """The matrix of the integral of g''^2 for natural splines by their values: Green and Silverman 1994, 2.1.2."""
    gaps, count = np.diff(np.array(frames, float)), len(frames)
    second = np.zeros((count - 2, count))
    spread = np.zeros((count - 2, count - 2))
    for row in range(count - 2):
        before, after = gaps[row], gaps[row + 1]
        second[row, row : row + 3] = 1 / before, -1 / before - 1 / after, 1 / after
        spread[row, row] = (before + after) / 3
        if row:
            spread[row, row - 1] = spread[row - 1, row] = before / 6
    return np.asarray(second.T @ np.linalg.solve(spread, second))


def sway(count: int, seed: int) -> tuple[list[int], list[float]]:
    """A wandering path with noise, at uneven frames."""
    noise = random.Random(seed)
    frames = [0]
    for _ in range(count - 1):
        frames.append(frames[-1] + noise.randint(1, 6))
    return frames, [960 + 500 * math.sin(frame / 90) + noise.gauss(0, 8) for frame in frames]


@repeatable
@given(knots(), st.sampled_from((0.5, 3.0, 20.0, 100.0)))
def test_values_are_those_of_the_dense_equations(made: tuple[list[int], list[float]], period: float) -> None:
    frames, values = made
    weights = np.diag(weights_of(frames))
    stiff = (period / (2 * math.pi)) ** 4 * bending(frames)
    expected = np.linalg.solve(weights + stiff, weights @ np.array(values))
    assert only(smoothed(frames, [values], period)).values == pytest.approx(list(expected), abs=1e-5)


@repeatable
@given(knots(), PERIODS)
def test_slopes_make_the_second_derivative_continuous_and_end_it_at_rest(
    made: tuple[list[int], list[float]], period: float
) -> None:
    frames, values = made
    spline = only(smoothed(frames, [values], period))
    left, right = [], []
    for index in range(len(frames) - 1):
        length = frames[index + 1] - frames[index]
        rise = (spline.values[index + 1] - spline.values[index]) / length
        left.append((6 * rise - 4 * spline.slopes[index] - 2 * spline.slopes[index + 1]) / length)
        right.append((-6 * rise + 2 * spline.slopes[index] + 4 * spline.slopes[index + 1]) / length)
    assert left == pytest.approx([0, *right[:-1]], abs=1e-6)
    assert right[-1] == pytest.approx(0, abs=1e-6)


@repeatable
@given(knots(1), PERIODS | st.just(math.inf))
def test_weighted_mean_and_trend_stay(made: tuple[list[int], list[float]], period: float) -> None:
    frames, values = made
    rest = np.array(values) - np.array(only(smoothed(frames, [values], period)).values)
    weighted = weights_of(frames) * rest
    assert abs(weighted.sum()) < 1e-7
    assert abs((weighted * np.array(frames)).sum()) < 1e-5


@repeatable
@given(knots(1))
def test_no_smoothing_passes_through_every_keyframe(made: tuple[list[int], list[float]]) -> None:
    frames, values = made
    assert only(smoothed(frames, [values], period(0.0, 30))).values == pytest.approx(values, abs=1e-9)


@repeatable
@given(knots(2))
def test_all_smoothing_is_a_straight_line_and_almost_all_is_almost_one(made: tuple[list[int], list[float]]) -> None:
    frames, values = made
    line = only(smoothed(frames, [values], period(1.0, 30)))
    slopes = [
        (later - earlier) / (after - before)
        for (before, after), (earlier, later) in zip(pairwise(frames), pairwise(line.values), strict=True)
    ]
    assert slopes == pytest.approx(line.slopes[1:], abs=1e-8)
    assert len(set(line.slopes)) == 1
    assert only(smoothed(frames, [values], 1e7)).values == pytest.approx(line.values, abs=1e-6)


@repeatable
@given(knots(), PERIODS)
def test_channels_do_not_mix(made: tuple[list[int], list[float]], period: float) -> None:
    frames, values = made
    other = [2 * value - 7 for value in values]
    both = smoothed(frames, [values, other], period)
    assert both[0].values == pytest.approx(only(smoothed(frames, [values], period)).values, abs=1e-9)
    assert both[1].values == pytest.approx([2 * value - 7 for value in both[0].values], abs=1e-8)


@pytest.mark.parametrize("own", [10, 20, 40])
def test_a_movement_keeps_the_part_that_the_docstring_says(own: int) -> None:
    frames = list(range(400))
    wave = [math.cos(2 * math.pi * frame / own) for frame in frames]
    kept = only(smoothed(frames, [wave], 20.0)).values[200]
    assert kept == pytest.approx(1 / (1 + (20 / own) ** 4), rel=0.02)


def test_the_middle_of_the_slider_is_two_seconds_at_any_rate() -> None:
    assert [period(0.5, rate) for rate in (25, 60)] == [25 * MIDDLE_SECONDS, 60 * MIDDLE_SECONDS]
    assert (period(0.0, 30), period(1.0, 30)) == (0, math.inf)
    assert period(0.995, 30) == pytest.approx(199 * 30 * MIDDLE_SECONDS)


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 0.9])
def test_neither_rate_nor_density_of_keyframes_changes_the_curve(smoothing: float) -> None:
    def middle(rate: int, step: int) -> float:
        frames = list(range(0, 10 * rate + 1, step))
        path = [1000 * math.sin(frame / rate) for frame in frames]
        return only(smoothed(frames, [path], period(smoothing, rate))).values[len(frames) // 2]

    assert middle(60, 2) == pytest.approx(middle(30, 1), abs=1e-8)
    assert middle(30, 3) == pytest.approx(middle(30, 1), abs=1)


def test_more_smoothing_bends_less() -> None:
    frames, values = sway(100, 5)
    bends = []
    for smoothing in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        spline = only(smoothed(frames, [values], period(smoothing, 30)))
        bends.append(np.array(spline.values) @ bending(frames) @ np.array(spline.values))
    assert bends == sorted(bends, reverse=True)
    assert bends[0] > 1000 * bends[3]


@pytest.mark.parametrize("smoothing", SLIDER)
def test_thousands_of_keyframes_keep_every_digit_that_matters(smoothing: float) -> None:
    """Shifted and turned paths give shifted and turned curves, and the mean stays: to 1e-7 of a pixel."""
    frames, values = sway(5000, 7)
    turned = [3000 - 2 * value + frame / 8 for frame, value in zip(frames, values, strict=True)]
    one, other = smoothed(frames, [values, turned], period(smoothing, 30))
    expected = [3000 - 2 * value + frame / 8 for frame, value in zip(frames, one.values, strict=True)]
    assert other.values == pytest.approx(expected, abs=1e-7)
    mean = float(weights_of(frames) @ (np.array(values) - np.array(one.values))) / frames[-1]
    assert abs(mean) < 1e-9
    assert min(one.values) > -10
    assert max(one.values) < 2000
