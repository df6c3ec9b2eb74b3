"""What smoothing makes of a crop track."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given

from gpu.plan.crop import crop_track
from gpu.plan.geometry import Rect, Size
from gpu.plan.spec import CropKeyframe, Easing
from tests.gpu.plan.specs import keyframe, repeatable
from tests.gpu.plan.test_interpolation import RATIO, tracks

FRAME = Size(1920, 1080)
SOME = 0.6
MIXED: tuple[Easing, ...] = ("smooth", "linear", "smooth", "hold", "smooth", "smooth")


def track(
    keyframes: Sequence[CropKeyframe], count: int, smoothing: float, step: int = 1, rate: float = 30
) -> list[Rect]:
    return crop_track(keyframes, range(0, count * step, step), RATIO, FRAME, smoothing, rate)


def wobbling(easings: Sequence[Easing], seed: int = 3, gap: int = 10) -> list[CropKeyframe]:
    noise = random.Random(seed)
    return [
        keyframe(index * gap, 300 + 20 * index + noise.uniform(-150, 150), noise.uniform(300, 500), easing)
        for index, easing in enumerate(easings)
    ]


def lefts(rects: Sequence[Rect]) -> list[float]:
    return [rect.x for rect in rects]


@repeatable
@given(tracks())
def test_a_smoothed_rectangle_is_inside_and_as_wide_as_the_keyframes(made: tuple[list[CropKeyframe], int]) -> None:
    keyframes, count = made
    widths = [one.width for one in keyframes]
    for smoothing in (0.2, SOME, 1.0):
        for rect in track(keyframes, count, smoothing):
            assert min(rect.x, rect.y) >= 0
            assert rect.x + rect.width <= FRAME.width + 1e-9
            assert rect.y + rect.height <= FRAME.height + 1e-9
            assert min(widths) - 1e-9 <= rect.width <= max(widths) + 1e-9


@repeatable
@given(tracks())
def test_a_touch_of_the_slider_changes_the_track_by_a_touch(made: tuple[list[CropKeyframe], int]) -> None:
    keyframes, count = made
    for before, after in ((0.0, 1e-7), (SOME, SOME + 1e-7), (1.0, 1 - 1e-7)):
        still, moved = track(keyframes, count, before), track(keyframes, count, after)
        assert all(one == pytest.approx(other, abs=1e-2) for one, other in zip(still, moved, strict=True))


def test_all_smoothing_moves_the_same_way_each_frame() -> None:
    rects = track(wobbling(["smooth"] * 6), 51, 1.0)
    steps = [(later.x - earlier.x, later.width - earlier.width) for earlier, later in pairwise(rects)]
    assert all(step == pytest.approx(steps[0], abs=1e-9) for step in steps)
    assert abs(steps[0][0]) > 1


def test_a_hold_stays_and_its_jump_is_that_of_the_keyframes() -> None:
    keyframes = wobbling(["smooth", "hold", "hold", "smooth", "smooth", "smooth"])
    rects = track(keyframes, 51, 1.0)
    for index in (1, 2):
        assert lefts(rects[10 * index : 10 * index + 10]) == pytest.approx([keyframes[index].x] * 10)
    assert rects[30].x != pytest.approx(keyframes[3].x)


def test_keyframes_beyond_a_hold_do_not_pull() -> None:
    keyframes = wobbling(["smooth", "smooth", "hold", "smooth", "smooth", "smooth"])
    moved = [*keyframes[:3], *(keyframe(one.frame, 1200, one.width) for one in keyframes[3:])]
    assert lefts(track(keyframes, 30, SOME)) == lefts(track(moved, 30, SOME))


def test_a_linear_stretch_stays_straight_and_meets_a_smooth_one_without_a_kink() -> None:
    easings: list[Easing] = ["smooth", "linear", "smooth", "smooth"]
    places = zip(range(0, 4000, 1000), (100, 300, 550, 700), easings, strict=True)
    rects = track([keyframe(frame, x, easing=easing) for frame, x, easing in places], 3001, SOME)
    steps = [later.x - earlier.x for earlier, later in pairwise(rects)]
    assert steps[1000:2000] == pytest.approx([steps[1000]] * 1000, abs=1e-9)
    assert [steps[999], steps[2000]] == pytest.approx([steps[1000]] * 2, abs=1e-3)
    assert steps[500] != pytest.approx(steps[1000], abs=1e-3)


def test_the_rate_of_the_source_does_not_matter() -> None:
    keyframes = wobbling(MIXED)
    doubled = [one.model_copy(update={"frame": 2 * one.frame}) for one in keyframes]
    slow, fast = track(keyframes, 51, SOME), track(doubled, 51, SOME, step=2, rate=60)
    assert all(one == pytest.approx(other, abs=1e-9) for one, other in zip(slow, fast, strict=True))


def test_the_last_keyframes_easing_shapes_nothing() -> None:
    ends: tuple[Easing, ...] = ("smooth", "linear", "hold")
    curves = {tuple(lefts(track(wobbling(("smooth", "smooth", "smooth", "smooth", end)), 45, SOME))) for end in ends}
    assert len(curves) == 1
