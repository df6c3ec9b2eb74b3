"""What a plan promises for any edit that fits its source."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.plan import SpecError, compile_plan, duration
from gpu.plan.duration import sample_at
from gpu.plan.geometry import Rect, Size
from gpu.plan.spec import EditSpec, OutputSize
from tests.gpu.plan.specs import framing, keyframe, probe, repeatable

RATES = st.sampled_from([(30, 1), (25, 1), (30000, 1001), (24000, 1001), (60000, 1001), (50, 1), (12345, 1000)])


@st.composite
def clips(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, 2000))
    return start, start + draw(st.integers(1, 600))


@repeatable
@given(clips(), RATES)
def test_one_rectangle_and_one_source_frame_for_each_frame(clip: tuple[int, int], fps: tuple[int, int]) -> None:
    spec = framing([keyframe(0, 100)], *clip)
    plan = compile_plan(spec, probe(fps=fps, frames=3000))
    assert plan.frame_count == len(plan.crops) == clip[1] - clip[0]
    assert list(plan.source_frames) == list(range(*clip))
    assert (plan.fps_num, plan.fps_den) == fps


@repeatable
@given(clips(), RATES)
def test_sound_is_as_long_as_the_pictures_to_half_a_sample(clip: tuple[int, int], fps: tuple[int, int]) -> None:
    plan = compile_plan(EditSpec(in_frame=clip[0], out_frame=clip[1]), probe(fps=fps, frames=3000))
    assert plan.sound is not None
    exact = (clip[1] - clip[0]) * fps[1] * 48000 / fps[0]
    assert abs(plan.sound.sample_count - exact) <= 1
    assert plan.sound.start_sample == math.floor(clip[0] * fps[1] * 48000 / fps[0] + 0.5)


@repeatable
@given(st.lists(st.integers(0, 3000), min_size=3, max_size=10, unique=True), RATES)
def test_the_lengths_of_neighbouring_clips_add_up(cuts: list[int], fps: tuple[int, int]) -> None:
    cuts.sort()
    source = probe(fps=fps, frames=3000)
    parts = [duration(EditSpec(in_frame=start, out_frame=end), source) for start, end in pairwise(cuts)]
    assert sum(one.sample_count for one in parts) == sample_at(cuts[-1], source) - sample_at(cuts[0], source)
    assert sum(one.frame_count for one in parts) == cuts[-1] - cuts[0]


def test_duration_of_ntsc_video() -> None:
    length = duration(EditSpec(in_frame=0, out_frame=300), probe(fps=(30000, 1001)))
    assert (length.frame_count, length.duration_ms, length.sample_count) == (300, 10010, 480480)


def test_an_extraction_keeps_the_picture_and_makes_odd_sizes_even() -> None:
    plan = compile_plan(EditSpec(in_frame=0, out_frame=3), probe(853, 481))
    assert plan.size == Size(852, 480)
    assert set(plan.crops) == {Rect(0, 0, 852, 480)}


@pytest.mark.parametrize(
    ("size", "crop"),
    [((1080, 1920), Rect(656.25, 0, 607.5, 1080)), ((1920, 800), Rect(0, 140, 1920, 800))],
)
def test_without_keyframes_the_largest_middle_part_is_shown(size: tuple[int, int], crop: Rect) -> None:
    spec = EditSpec(in_frame=0, out_frame=3, size=OutputSize(width=size[0], height=size[1]))
    assert compile_plan(spec, probe()).crops[0] == pytest.approx(crop)


@pytest.mark.parametrize(("wanted", "has_audio"), [(False, True), (True, False)])
def test_there_is_no_sound_unless_asked_for_and_there(wanted: bool, has_audio: bool) -> None:
    spec = EditSpec(in_frame=0, out_frame=3, audio=wanted)
    assert compile_plan(spec, probe(audio=has_audio)).sound is None


def test_equal_plans_have_equal_hashes_and_others_not() -> None:
    plans = [compile_plan(framing([keyframe(0, x), keyframe(50, 900)]), probe()) for x in (100, 100, 100.01)]
    hashes = [plan.sha256() for plan in plans]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_hash_of_a_known_plan_stays() -> None:
    """A change here means that every stored recipe hash is stale: raise PLAN_VERSION on purpose, never by accident."""
    plan = compile_plan(framing([keyframe(0, 0), keyframe(9, 90, easing="linear")], 5, 15), probe())
    assert plan.sha256() == "43282f644d61471daba1b260fbf9bf4b9332702b931c85724f59db5090a0c687"


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SpecError, match="beyond the 900 frames"):
        compile_plan(EditSpec(in_frame=0, out_frame=901), probe())
