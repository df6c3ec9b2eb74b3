"""What a plan promises for any edit that fits its source."""

import math
import tracemalloc
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.plan import SpecError, compile_plan, duration
from gpu.plan.geometry import Rect, Size
from gpu.plan.render_plan import ClipSound, RenderPlan
from gpu.plan.spec import ClipEdit, EditSpec, EllipseKeyframe, HighlightRegion, OutputSize
from tests.gpu.plan.specs import PORTRAIT, framing, keyframe, probe, repeatable

RATES = st.sampled_from([(30, 1), (25, 1), (30000, 1001), (24000, 1001), (60000, 1001), (50, 1), (12345, 1000)])


def sound_of(plan: RenderPlan) -> ClipSound:
    (sound,) = (clip.sound for clip in plan.clips)
    assert sound is not None
    return sound


@st.composite
def clips(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, 2000))
    return start, start + draw(st.integers(1, 600))


@repeatable
@given(clips(), RATES)
def test_one_rectangle_and_one_source_frame_for_each_frame(clip: tuple[int, int], fps: tuple[int, int]) -> None:
    spec = framing([keyframe(0, 100)], *clip)
    plan = compile_plan(spec, probe(fps=fps, frames=3000))
    assert plan.frame_count == len(plan.clips[0].crops) == clip[1] - clip[0]
    assert list(plan.clips[0].source_frames) == list(range(*clip))
    assert plan.rate == Fraction(*fps)


@repeatable
@given(clips(), RATES)
def test_sound_is_as_long_as_the_pictures_to_half_a_sample(clip: tuple[int, int], fps: tuple[int, int]) -> None:
    plan = compile_plan(EditSpec.of_clip(in_frame=clip[0], out_frame=clip[1]), probe(fps=fps, frames=3000))
    (piece,) = sound_of(plan).pieces
    exact = (clip[1] - clip[0]) * fps[1] * 48000 / fps[0]
    assert abs(piece.count - exact) <= 0.5
    assert piece.source.sample_count == piece.count
    assert piece.source.start_sample == math.floor(clip[0] * fps[1] * 48000 / fps[0] + 0.5)


@repeatable
@given(st.lists(st.integers(0, 600), min_size=3, max_size=10, unique=True), RATES)
def test_neighbouring_clips_of_one_source_make_what_one_clip_makes(cuts: list[int], fps: tuple[int, int]) -> None:
    cuts.sort()
    source = probe(fps=fps, frames=3000)
    parts = tuple(ClipEdit(in_frame=start, out_frame=end) for start, end in pairwise(cuts))
    whole = compile_plan(EditSpec.of_clip(in_frame=cuts[0], out_frame=cuts[-1]), source)
    joined = compile_plan(EditSpec(clips=parts), source)
    assert [frame for clip in joined.clips for frame in clip.source_frames] == list(whole.clips[0].source_frames)
    assert joined.sample_count == whole.sample_count == sum(clip.sound.count for clip in joined.clips if clip.sound)


def test_duration_of_ntsc_video() -> None:
    length = duration(EditSpec.of_clip(in_frame=0, out_frame=300), probe(fps=(30000, 1001)))
    assert (length.frame_count, length.duration_ms, length.sample_count) == (300, 10010, 480480)


def test_an_extraction_keeps_the_picture_and_makes_odd_sizes_even() -> None:
    plan = compile_plan(EditSpec.of_clip(in_frame=0, out_frame=3), probe(853, 481))
    assert plan.size == Size(852, 480)
    assert set(plan.clips[0].crops) == {Rect(0, 0, 852, 480)}


@pytest.mark.parametrize(
    ("size", "crop"),
    [((1080, 1920), Rect(656.25, 0, 607.5, 1080)), ((1920, 800), Rect(0, 140, 1920, 800))],
)
def test_without_keyframes_the_largest_middle_part_is_shown(size: tuple[int, int], crop: Rect) -> None:
    spec = EditSpec.of_clip(in_frame=0, out_frame=3, size=OutputSize(width=size[0], height=size[1]))
    assert compile_plan(spec, probe()).clips[0].crops[0] == pytest.approx(crop)


@pytest.mark.parametrize(("wanted", "has_audio"), [(False, True), (True, False)])
def test_there_is_no_sound_unless_asked_for_and_there(wanted: bool, has_audio: bool) -> None:
    spec = EditSpec.of_clip(in_frame=0, out_frame=3, audio=wanted)
    assert compile_plan(spec, probe(audio=has_audio)).sample_count is None


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SpecError, match="beyond the 900 frames"):
        compile_plan(EditSpec.of_clip(in_frame=0, out_frame=901), probe())


def test_sources_that_no_clip_names_do_no_harm() -> None:
    spec = EditSpec(clips=(ClipEdit(source=2, in_frame=0, out_frame=5), ClipEdit(source=0, in_frame=0, out_frame=5)))
    plan = compile_plan(spec, probe(640, 360, (50, 1)), probe(frames=1), probe(1280, 720, (25, 1)))
    assert (plan.size, plan.rate, plan.frame_count) == (Size(1280, 720), Fraction(25), 5 + 3)


def test_each_clip_without_keyframes_shows_the_largest_part_of_its_own_source() -> None:
    clips = (ClipEdit(in_frame=0, out_frame=1), ClipEdit(source=1, in_frame=0, out_frame=1))
    plan = compile_plan(EditSpec(clips=clips), probe(1920, 1080), probe(1081, 1920))
    assert [clip.crops[0] for clip in plan.clips] == [
        Rect(0, 0, 1920, 1080),
        pytest.approx(Rect(0, 655.96875, 1081, 608.0625)),
    ]


def test_a_frame_of_a_plan_takes_less_than_800_bytes() -> None:
    """Crop and highlight on each: 20 minutes at 60 frames a second stay below 60 MB, while they are made too."""
    frames = 6000
    keys = tuple(keyframe(frame, frame % 1000) for frame in range(0, frames, 500))
    ellipses = tuple(EllipseKeyframe(frame=key.frame, x=key.x, y=2, radius_x=9, radius_y=9) for key in keys)
    spec = EditSpec(
        clips=(ClipEdit(in_frame=0, out_frame=frames, crop_keyframes=keys, crop_smoothing=0.5),),
        size=PORTRAIT,
        regions=(HighlightRegion(in_frame=0, out_frame=frames, keyframes=ellipses),),
    )
    source = probe(fps=(60, 1), frames=frames)
    tracemalloc.start()
    try:
        assert compile_plan(spec, source).frame_count == frames
        assert tracemalloc.get_traced_memory()[1] < 800 * frames
    finally:
        tracemalloc.stop()
