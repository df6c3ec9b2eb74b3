"""Every mistake of an edit is named, with the field it is in."""

import math

import pytest

from gpu.plan.spec import CropKeyframe, EditSpec
from gpu.plan.validation import LONGEST_SECONDS, SpecError, check_spec
from tests.gpu.plan.specs import framing, keyframe, probe


def fields_of(spec: EditSpec) -> list[str]:
    with pytest.raises(SpecError) as refused:
        check_spec(spec, probe())
    return [mistake.field for mistake in refused.value.mistakes]


def rectangle(x: float, y: float, width: float, height: float) -> EditSpec:
    return framing([CropKeyframe(frame=0, x=x, y=y, width=width, height=height)])


def test_all_mistakes_are_named_at_once() -> None:
    spec = framing([keyframe(0, -5), keyframe(120, 1900)], out_frame=1000)
    assert fields_of(spec) == ["out_frame", "crop_keyframes.0.x", "crop_keyframes.1.x"]


def test_a_keyframe_outside_the_clip_is_refused() -> None:
    assert fields_of(framing([keyframe(0, 0), keyframe(100, 0)], out_frame=100)) == ["crop_keyframes.1.frame"]


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
    assert fields_of(spec) == [f"crop_keyframes.0.{field}"]


@pytest.mark.parametrize("spec", [rectangle(-0.4, 0, 607.5, 1080), rectangle(0, 0, 612, 1080)])
def test_rounding_of_the_page_is_accepted(spec: EditSpec) -> None:
    check_spec(spec, probe())


def test_a_clip_that_is_too_long_is_refused() -> None:
    frames = LONGEST_SECONDS * 30 + 1
    with pytest.raises(SpecError, match=f"at most {LONGEST_SECONDS} s"):
        check_spec(EditSpec(in_frame=0, out_frame=frames), probe(frames=frames))


def test_the_message_names_value_and_limit() -> None:
    with pytest.raises(SpecError, match=r"crop_keyframes\.0\.x: 1400 to 2007\.5 leaves the 1920 pixels"):
        check_spec(rectangle(1400, 0, 607.5, 1080), probe())
