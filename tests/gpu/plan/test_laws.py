"""Laws of plans, over random edits of random sources."""

import math
from collections.abc import Iterator
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gpu.plan import RenderPlan, compile_plan, duration
from gpu.plan.duration import sample_at
from gpu.plan.render_plan import ClipPlan
from gpu.plan.spec import ClipEdit, EditSpec, FrameRate, Retime, Trim
from gpu.plan.timeline import output_rate, source_rate
from tests.gpu.plan.edits import Edited, edited
from tests.gpu.plan.specs import repeatable

HALF = Fraction(1, 2)


def shown(clip: ClipEdit) -> range:
    return range(clip.trim.in_frame, clip.trim.out_frame) if clip.trim else range(clip.frame_count)


def percent_at(clip: ClipEdit, frame: int) -> int:
    if clip.retime is None:
        return 100
    ends = zip(clip.retime.boundaries[1:], clip.retime.speeds_percent, strict=True)
    return next(percent for end, percent in ends if frame < end)


def moments(clip: ClipEdit, output_per_source: Fraction) -> list[Fraction]:
    """Exact output frames at which each shown frame of the clip starts, and at which the last ends: no rounding."""
    starts = [Fraction(0)]
    for frame in shown(clip):
        starts.append(starts[-1] + output_per_source * Fraction(100, percent_at(clip, frame)))
    return starts


def compiled(made: Edited) -> RenderPlan:
    return compile_plan(made.spec, *made.probes)


def pairs(made: Edited) -> Iterator[tuple[ClipEdit, ClipPlan, Fraction]]:
    """Each clip with its plan and the frames of output that a frame of its source takes at its own speed."""
    plan = compiled(made)
    for clip, planned in zip(made.spec.clips, plan.clips, strict=True):
        yield clip, planned, plan.rate / source_rate(made.probes[clip.source])


@repeatable
@given(edited())
def test_duration_says_how_many_frames_and_samples_the_plan_has(made: Edited) -> None:
    plan, length = compiled(made), duration(made.spec, *made.probes)
    assert plan.frame_count == length.frame_count == len(plan.ellipses)
    assert (plan.fps_num, plan.fps_den) == (length.fps_num, length.fps_den)
    assert plan.sample_count in (None, length.sample_count)
    assert abs(length.duration_ms - plan.frame_count / plan.rate * 1000) <= HALF


@repeatable
@given(edited())
def test_a_clip_takes_its_exact_length_to_the_nearest_frame(made: Edited) -> None:
    for clip, planned, output_per_source in pairs(made):
        exact = moments(clip, output_per_source)[-1]
        assert planned.count == math.floor(exact + HALF)
        assert planned.count == len(planned.crops) == len(planned.opacities)


@repeatable
@given(edited())
def test_the_middle_of_every_frame_shows_the_moment_that_is_due_to_half_a_frame(made: Edited) -> None:
    for clip, planned, output_per_source in pairs(made):
        starts = moments(clip, output_per_source)
        for index, frame in enumerate(planned.source_frames):
            place = frame - clip.in_frame - shown(clip).start
            assert starts[place] - HALF < index + HALF < starts[place + 1] + HALF


@repeatable
@given(edited())
def test_where_no_length_is_rounded_the_middle_of_every_frame_lies_within_what_it_shows(made: Edited) -> None:
    for clip, planned, output_per_source in pairs(made):
        starts = moments(clip, output_per_source)
        if clip.retime is None and starts[-1] == planned.count:
            for index, frame in enumerate(planned.source_frames):
                place = frame - clip.in_frame - shown(clip).start
                assert starts[place] <= index + HALF < starts[place + 1]


@repeatable
@given(edited())
def test_source_frames_follow_each_other_inside_the_trim(made: Edited) -> None:
    for clip, planned, output_per_source in pairs(made):
        frames = list(planned.source_frames)
        assert frames == sorted(frames)
        assert set(frames) <= {clip.in_frame + frame for frame in shown(clip)}
        if clip.retime is None and output_per_source == 1:
            assert frames == [clip.in_frame + frame for frame in shown(clip)]


@repeatable
@given(edited())
def test_clips_follow_each_other_and_overlap_in_a_dissolve_only(made: Edited) -> None:
    plan, transition = compiled(made), made.spec.transition
    overlap = transition.frames if transition.kind == "dissolve" else 0
    assert [clip.first for clip in plan.clips] == [0, *(clip.end - overlap for clip in plan.clips[:-1])]
    for frame in range(plan.frame_count):
        assert 1 <= sum(clip.first <= frame < clip.end for clip in plan.clips) <= 1 + (overlap > 0)


@repeatable
@given(edited())
def test_opacities_step_evenly_through_a_transition_and_are_full_elsewhere(made: Edited) -> None:
    kind, frames = made.spec.transition.kind, made.spec.transition.frames
    out = frames // 2 if kind == "fade" else 0
    into = frames - out
    clips = compiled(made).clips
    for number, clip in enumerate(clips):
        rising = [(step + 1) / (into + 1) for step in range(into)] if number else []
        falling = [(step + 1) / (out + 1) for step in reversed(range(out))] if number < len(clips) - 1 else []
        full = [1.0] * (clip.count - len(rising) - len(falling))
        assert clip.opacities == [*rising, *full, *falling]


@repeatable
@given(edited())
def test_sound_begins_and_ends_with_its_pictures(made: Edited) -> None:
    plan = compiled(made)
    for clip, edit in zip(plan.clips, made.spec.clips, strict=True):
        assert (clip.sound is not None) == (edit.audio and made.probes[edit.source].audio_codec is not None)
        if clip.sound:
            assert clip.sound.first_sample == sample_at(clip.first, plan.rate)
            assert clip.sound.first_sample + clip.sound.count == sample_at(clip.end, plan.rate)
    heard = any(clip.sound for clip in plan.clips)
    assert plan.sample_count == (sample_at(plan.frame_count, plan.rate) if heard else None)


@repeatable
@given(edited())
def test_pieces_of_sound_follow_the_speeds_and_are_copied_at_full_speed(made: Edited) -> None:
    for clip, planned, _ in pairs(made):
        rate = source_rate(made.probes[clip.source])
        for piece in planned.sound.pieces if planned.sound else ():
            start = next(
                one for one in shown(clip) if sample_at(clip.in_frame + one, rate) == piece.source.start_sample
            )
            if percent_at(clip, start) == 100:
                assert piece.source.sample_count == piece.count
            else:
                end = piece.source.start_sample + piece.source.sample_count
                assert end in {sample_at(clip.in_frame + one + 1, rate) for one in shown(clip)}
                assert piece.count > 0
        if planned.sound and clip.retime is None:
            assert len(planned.sound.pieces) == 1


@repeatable
@given(edited())
def test_sound_fades_over_the_samples_of_the_transition(made: Edited) -> None:
    plan, transition = compiled(made), made.spec.transition
    for number, clip in enumerate(plan.clips):
        out = transition.frames // 2 if transition.kind == "fade" else transition.frames
        into = transition.frames - out if transition.kind == "fade" else transition.frames
        if clip.sound:
            begin = sample_at(clip.first + into, plan.rate) - sample_at(clip.first, plan.rate)
            end = sample_at(clip.end, plan.rate) - sample_at(clip.end - out, plan.rate)
            assert clip.sound.fade_in == (begin if number else 0)
            assert clip.sound.fade_out == (end if number < len(plan.clips) - 1 else 0)


@repeatable
@given(edited())
def test_crops_are_inside_the_source_and_have_the_ratio_of_the_result(made: Edited) -> None:
    plan = compiled(made)
    for clip in plan.clips:
        source = plan.sources[clip.source].size
        for x, y, width, height in clip.crops:
            assert min(x, y) >= 0
            assert width > 0
            assert x + width <= source.width + 1e-9
            assert y + height <= source.height + 1e-9
            assert math.isclose(width / height, plan.size.ratio, rel_tol=1e-9)


@repeatable
@given(edited())
def test_highlights_are_on_the_frames_of_enabled_regions_and_on_no_other(made: Edited) -> None:
    plan = compiled(made)
    for frame, ellipse in enumerate(plan.ellipses):
        regions = [one for one in made.spec.regions if one.enabled and one.in_frame <= frame < one.out_frame]
        assert (ellipse is not None) == bool(regions)
        if ellipse:
            (region,) = regions
            edge = min(frame - region.in_frame, region.out_frame - 1 - frame)
            assert math.isclose(ellipse.strength, min(1, (edge + 1) / (region.fade_frames + 1)))
            assert ellipse.color in {key.color for key in region.keyframes}
            assert min(key.radius_x for key in region.keyframes) - 1e-9 <= ellipse.radius_x


@repeatable
@given(edited(), st.data())
def test_a_split_without_a_change_of_speed_changes_nothing(made: Edited, data: st.DataObject) -> None:
    clips = []
    for clip in made.spec.clips:
        old = clip.retime or Retime(boundaries=(0, clip.frame_count), speeds_percent=(100,))
        boundaries = sorted({*old.boundaries, data.draw(st.integers(0, clip.frame_count))})
        speeds = tuple(percent_at(clip, start) for start in boundaries[:-1])
        retime = Retime(boundaries=tuple(boundaries), speeds_percent=speeds)
        clips.append(clip.model_copy(update={"retime": retime}))
    split = made.spec.model_copy(update={"clips": tuple(clips)})
    assert compile_plan(split, *made.probes) == compiled(made)


@repeatable
@given(edited())
def test_a_trim_of_nothing_changes_nothing(made: Edited) -> None:
    clips = tuple(
        clip if clip.trim else clip.model_copy(update={"trim": Trim(in_frame=0, out_frame=clip.frame_count)})
        for clip in made.spec.clips
    )
    assert compile_plan(made.spec.model_copy(update={"clips": clips}), *made.probes) == compiled(made)


@repeatable
@given(edited())
def test_a_dissolve_takes_its_frames_from_the_sum_of_the_clips_and_nothing_else_does(made: Edited) -> None:
    spec, rate = made.spec, output_rate(made.spec, made.probes)
    fixed = FrameRate(num=rate.numerator, den=rate.denominator)
    alone = [EditSpec(clips=(clip,), rate=fixed) for clip in spec.clips]
    overlap = spec.transition.frames if spec.transition.kind == "dissolve" else 0
    whole = sum(duration(one, *made.probes).frame_count for one in alone) - overlap * (len(alone) - 1)
    assert duration(spec, *made.probes).frame_count == whole


@repeatable
@given(edited())
def test_an_edit_survives_json_with_its_hash(made: Edited) -> None:
    again = EditSpec.model_validate_json(made.spec.model_dump_json())
    assert again == made.spec
    assert compile_plan(again, *made.probes).sha256() == compiled(made).sha256()
