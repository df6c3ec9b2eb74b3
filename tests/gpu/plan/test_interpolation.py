"""Laws of crop tracks, on tracks that hypothesis makes up."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gpu.plan.crop import crop_track
from gpu.plan.geometry import Rect, Size
from gpu.plan.spec import CropKeyframe, Easing
from tests.gpu.plan.specs import repeatable

FRAME = Size(1920, 1080)
RATIO = 9 / 16
CLOSE = 1e-6
EASINGS: st.SearchStrategy[Easing] = st.sampled_from(("linear", "smooth", "hold"))


@st.composite
def tracks(draw: st.DrawFn, easing: Easing | None = None, last: int = 200) -> tuple[list[CropKeyframe], int]:
    """Keyframes inside the frame, and a number of frames that holds them all."""
    frames = sorted(draw(st.sets(st.integers(0, last), min_size=1, max_size=8)))
    return [_keyframe(draw, frame, easing) for frame in frames], frames[-1] + draw(st.integers(1, 20))


def _keyframe(draw: st.DrawFn, frame: int, easing: Easing | None) -> CropKeyframe:
    width = draw(st.floats(20, 607.5))
    height = width / RATIO
    return CropKeyframe(
        frame=frame,
        x=draw(st.floats(0, 1)) * (FRAME.width - width),
        y=draw(st.floats(0, 1)) * (FRAME.height - height),
        width=width,
        height=height,
        easing=draw(EASINGS) if easing is None else easing,
    )


def unsmoothed(keyframes: list[CropKeyframe], count: int) -> list[Rect]:
    return crop_track(keyframes, range(count), RATIO, FRAME, 0.0, 30)


def centre(rect: Rect) -> float:
    return rect.x + rect.width / 2


@repeatable
@given(tracks())
def test_every_rectangle_is_inside_and_has_the_ratio(made: tuple[list[CropKeyframe], int]) -> None:
    keyframes, count = made
    track = unsmoothed(keyframes, count)
    assert len(track) == count
    for rect in track:
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.x + rect.width <= FRAME.width + CLOSE
        assert rect.y + rect.height <= FRAME.height + CLOSE
        assert math.isclose(rect.width / rect.height, RATIO, rel_tol=1e-9)


@repeatable
@given(tracks())
def test_the_track_passes_through_every_keyframe(made: tuple[list[CropKeyframe], int]) -> None:
    keyframes, count = made
    track = unsmoothed(keyframes, count)
    for keyframe in keyframes:
        rect = track[keyframe.frame]
        assert math.isclose(rect.x, keyframe.x, abs_tol=CLOSE)
        assert math.isclose(rect.width, keyframe.width, abs_tol=CLOSE)


@repeatable
@given(tracks())
def test_size_never_goes_beyond_the_two_keyframes_around_it(made: tuple[list[CropKeyframe], int]) -> None:
    keyframes, count = made
    track = unsmoothed(keyframes, count)
    for earlier, later in pairwise(keyframes):
        low, high = sorted((earlier.width, later.width))
        widths = [rect.width for rect in track[earlier.frame : later.frame + 1]]
        assert low - CLOSE <= min(widths)
        assert max(widths) <= high + CLOSE


@repeatable
@given(tracks(easing="smooth", last=20))
def test_smooth_changes_its_speed_gradually(made: tuple[list[CropKeyframe], int]) -> None:
    """With time refined, the speed on both sides of a keyframe agrees: no kink."""
    keyframes, _ = made
    scale = 500
    fine = [one.model_copy(update={"frame": one.frame * scale}) for one in keyframes]
    for keyframe in fine[1:-1]:
        at = keyframe.frame
        track = unsmoothed(fine, at + 2)
        before, after = track[at].width - track[at - 1].width, track[at + 1].width - track[at].width
        assert math.isclose(before, after, abs_tol=0.02)


def test_smooth_rests_at_both_ends() -> None:
    keyframes = [
        CropKeyframe(frame=0, x=0, y=0, width=607.5, height=1080),
        CropKeyframe(frame=1000, x=1000, y=0, width=607.5, height=1080),
    ]
    track = unsmoothed(keyframes, 1001)
    assert centre(track[1]) - centre(track[0]) < 0.01
    assert centre(track[1000]) - centre(track[999]) < 0.01
