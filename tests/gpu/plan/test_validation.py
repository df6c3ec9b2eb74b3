"""Every mistake of an edit is named, with the field it is in."""

import math
from typing import Any

import pytest

from gpu.plan.spec import (
    ClipEdit,
    CropKeyframe,
    EditSpec,
    EllipseKeyframe,
    FrameRate,
    HighlightRegion,
    Retime,
    Transition,
    TransitionKind,
    Trim,
)
from gpu.plan.validation import LONGEST_SECONDS, Mistake, SpecError, check_spec, message_of
from tests.gpu.plan.specs import framing, keyframe, probe


def fields_of(spec: EditSpec) -> list[str]:
    with pytest.raises(SpecError) as refused:
        check_spec(spec, [probe()])
    return [mistake.field for mistake in refused.value.mistakes]


def rectangle(x: float, y: float, width: float, height: float) -> EditSpec:
    return framing([CropKeyframe(frame=0, x=x, y=y, width=width, height=height)])


def test_all_mistakes_are_named_at_once() -> None:
    spec = framing([keyframe(0, -5), keyframe(120, 1900)], out_frame=1000)
    assert fields_of(spec) == ["clips.0.out_frame", "clips.0.crop_keyframes.0.x", "clips.0.crop_keyframes.1.x"]


def test_a_keyframe_outside_the_clip_is_refused() -> None:
    assert fields_of(framing([keyframe(0, 0), keyframe(100, 0)], out_frame=100)) == ["clips.0.crop_keyframes.1.frame"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (rectangle(1400, 0, 607.5, 1080), "x"),
        (rectangle(0, 100, 607.5, 1080), "y"),
        (rectangle(0, 0, 620, 1080), "width"),
        (rectangle(0, 0, 9, 16), "width"),
        (rectangle(math.nan, 0, 607.5, 1080), "x"),
        (rectangle(0, 0, math.inf, math.inf), "x"),
    ],
)
def test_a_rectangle_that_cannot_be_shown_is_refused(spec: EditSpec, field: str) -> None:
    assert fields_of(spec) == [f"clips.0.crop_keyframes.0.{field}"]


@pytest.mark.parametrize("spec", [rectangle(-0.4, 0, 607.5, 1080), rectangle(0, 0, 612, 1080)])
def test_rounding_of_the_page_is_accepted(spec: EditSpec) -> None:
    check_spec(spec, [probe()])


def test_a_clip_that_is_too_long_is_refused() -> None:
    frames = LONGEST_SECONDS * 30 + 1
    with pytest.raises(SpecError, match=f"at most {LONGEST_SECONDS} s"):
        check_spec(EditSpec.of_clip(in_frame=0, out_frame=frames), [probe(frames=frames)])


def test_the_message_names_value_and_limit() -> None:
    with pytest.raises(SpecError, match=r"crop_keyframes\.0\.x: 1400 to 2007\.5 leaves the 1920 pixels"):
        check_spec(rectangle(1400, 0, 607.5, 1080), [probe()])


def clip(frames: int = 100, **other: Any) -> ClipEdit:
    return ClipEdit(in_frame=0, out_frame=frames, **other)


def region(start: int, end: int, at: int | None = None, **other: Any) -> HighlightRegion:
    values = {"x": 0, "y": 0, "radius_x": 9, "radius_y": 9, **other}
    key = EllipseKeyframe(frame=start if at is None else at, **values)
    return HighlightRegion(in_frame=start, out_frame=end, keyframes=(key,))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (clip(source=1), "source"),
        (clip(trim=Trim(in_frame=0, out_frame=101)), "trim.out_frame"),
        (clip(retime=Retime(boundaries=(0, 99), speeds_percent=(100,))), "retime.boundaries"),
        (clip(retime=Retime(boundaries=(0, 101), speeds_percent=(100,))), "retime.boundaries"),
    ],
)
def test_ranges_that_do_not_fit_the_clip_are_refused(wrong: ClipEdit, field: str) -> None:
    assert fields_of(EditSpec(clips=(clip(), wrong))) == [f"clips.1.{field}"]


def test_a_clip_that_its_speed_makes_nothing_of_is_refused() -> None:
    short = clip(1, retime=Retime(boundaries=(0, 1), speeds_percent=(201,)))
    assert fields_of(EditSpec(clips=(clip(), short))) == ["clips.1"]
    half = clip(1, retime=Retime(boundaries=(0, 1), speeds_percent=(200,)))
    check_spec(EditSpec(clips=(clip(), half)), [probe()])


@pytest.mark.parametrize(
    ("kind", "lengths", "fits"),
    [
        ("dissolve", (8, 16, 8), True),
        ("dissolve", (7, 16, 8), False),
        ("dissolve", (8, 15, 8), False),
        ("dissolve", (8, 16, 7), False),
        ("fade", (4, 8, 4), True),
        ("fade", (3, 8, 4), False),
        ("fade", (4, 7, 4), False),
        ("fade", (4, 8, 3), False),
        ("fade", (1,), True),
        ("dissolve", (1,), True),
    ],
)
def test_a_clip_must_hold_the_transitions_at_its_ends(
    kind: TransitionKind, lengths: tuple[int, ...], fits: bool
) -> None:
    spec = EditSpec(clips=tuple(clip(one) for one in lengths), transition=Transition(kind=kind, frames=8))
    if fits:
        check_spec(spec, [probe()])
    else:
        assert len(fields_of(spec)) == 1


@pytest.mark.parametrize(("rate", "fits"), [((1, 1), True), ((120, 1), True), ((1, 2), False), ((121, 1), False)])
def test_the_rate_of_the_result_is_bounded(rate: tuple[int, int], fits: bool) -> None:
    spec = EditSpec(clips=(clip(),), rate=FrameRate(num=rate[0], den=rate[1]))
    if fits:
        check_spec(spec, [probe()])
    else:
        assert fields_of(spec) == ["rate"]


@pytest.mark.parametrize(("frames", "fits"), [(1200 * 30, True), (1200 * 30 + 1, False)])
def test_twenty_minutes_are_the_most_and_speeds_count(frames: int, fits: bool) -> None:
    retime = Retime(boundaries=(0, 2 * frames), speeds_percent=(200,))
    spec, source = EditSpec(clips=(clip(2 * frames, retime=retime),)), probe(frames=2 * frames)
    if fits:
        check_spec(spec, [source])
    else:
        with pytest.raises(SpecError, match="at most 1200 s"):
            check_spec(spec, [source])


@pytest.mark.parametrize(
    ("regions", "fields"),
    [
        ((region(0, 100),), []),
        ((region(50, 100), region(0, 50)), []),
        ((region(0, 101),), ["regions.0.out_frame"]),
        ((region(50, 60), region(10, 51)), ["regions"]),
        ((region(10, 20), region(10, 20)), ["regions"]),
        ((region(10, 20, at=9),), ["regions.0.keyframes.0.frame"]),
        ((region(10, 20, at=19),), []),
        ((region(10, 20, at=20),), ["regions.0.keyframes.0.frame"]),
        ((region(0, 9, x=math.nan),), ["regions.0.keyframes.0.x"]),
        ((region(0, 9, y=-100_001),), ["regions.0.keyframes.0.x"]),
        ((region(0, 9, radius_x=1),), ["regions.0.keyframes.0.radius_x"]),
        ((region(0, 9, radius_y=math.inf),), ["regions.0.keyframes.0.radius_x"]),
    ],
)
def test_regions_lie_in_the_result_and_apart(regions: tuple[HighlightRegion, ...], fields: list[str]) -> None:
    spec = EditSpec(clips=(clip(),), regions=regions)
    if fields:
        assert fields_of(spec) == fields
    else:
        check_spec(spec, [probe()])


def test_a_picture_of_one_pixel_is_refused_unless_a_size_is_asked_for() -> None:
    with pytest.raises(SpecError, match="size: 0 x 0 pixels"):
        check_spec(EditSpec(clips=(clip(),)), [probe(1, 1)])
    check_spec(EditSpec.of_clip(0, 9), [probe(2, 3)])


def test_the_message_tells_the_first_ten_mistakes_and_counts_the_others() -> None:
    spec = framing([keyframe(frame, -5) for frame in range(4000)], out_frame=4000)
    with pytest.raises(SpecError) as refused:
        check_spec(spec, [probe(frames=4000)])
    assert len(refused.value.mistakes) == 4000
    *told, last = str(refused.value).split("; ")
    assert [one.partition(": ")[0] for one in told] == [f"clips.0.crop_keyframes.{index}.x" for index in range(10)]
    assert last == "and 3990 more"


@pytest.mark.parametrize(("count", "last"), [(1, "a: 0"), (10, "a: 9"), (11, "and 1 more")])
def test_others_are_counted_only_when_there_are_any(count: int, last: str) -> None:
    assert message_of([Mistake("a", str(index)) for index in range(count)]).split("; ")[-1] == last


def test_one_mistake_of_any_length_leaves_room_for_the_others() -> None:
    text = message_of([Mistake("a", "9" * 4000), Mistake("b", "short")])
    assert len(text) < 400
    assert text.endswith("9…; b: short")
