"""Specs of every age are read, and those that say nothing sensible are refused."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gpu.plan.spec import ClipEdit, CropKeyframe, EditSpec, FrameRate, OutputSize, Retime, Transition, Trim

KEY = {"frame": 0, "x": 0, "y": 0, "width": 607.5, "height": 1080, "easing": "linear"}
FLAT = {"in_frame": 5, "out_frame": 9, "crop_keyframes": [KEY], "size": {"width": 1080, "height": 1920}, "audio": False}


def test_a_spec_from_before_there_were_several_clips_is_read() -> None:
    expected = EditSpec.of_clip(
        5,
        9,
        crop_keyframes=(CropKeyframe(frame=0, x=0, y=0, width=607.5, height=1080, easing="linear"),),
        size=OutputSize(width=1080, height=1920),
        audio=False,
    )
    assert EditSpec.model_validate(FLAT) == EditSpec.model_validate_json(json.dumps(FLAT)) == expected


def test_an_old_extraction_keeps_its_size_and_its_sound() -> None:
    spec = EditSpec.model_validate({"in_frame": 5, "out_frame": 9, "crop_keyframes": [], "size": None, "audio": True})
    assert spec == EditSpec.of_clip(5, 9)
    assert (spec.size, spec.rate, spec.clips[0].audio) == (None, None, True)


@pytest.mark.parametrize(
    "wrong", [{**FLAT, "speed": 2}, {**FLAT, "clips": []}, {"clips": []}, {}, {**FLAT, "in_frame": 9}, [FLAT]]
)
def test_what_is_neither_old_nor_new_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        EditSpec.model_validate(wrong)


@pytest.mark.parametrize(
    ("boundaries", "percents"),
    [((0, 5, 5, 9), (100, 50, 100)), ((1, 9), (100,)), ((0, 9), (100, 50)), ((0, 9), (24,)), ((0, 9), (401,))],
)
def test_speeds_that_do_not_tile_the_clip_are_refused(boundaries: Any, percents: Any) -> None:
    with pytest.raises(ValidationError):
        Retime(boundaries=boundaries, speeds_percent=percents)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Trim, {"in_frame": 4, "out_frame": 4}),
        (Transition, {"kind": "cut", "frames": 3}),
        (Transition, {"kind": "fade"}),
        (FrameRate, {"num": 10**7, "den": 10**6}),
        (OutputSize, {"width": 1081, "height": 1920}),
        (ClipEdit, {"in_frame": 0, "out_frame": 9, "crop_smoothing": float("nan")}),
        (ClipEdit, {"in_frame": 0, "out_frame": 9, "crop_keyframes": [KEY, KEY]}),
    ],
)
def test_values_without_a_meaning_are_refused(kind: type[Trim], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(values)
