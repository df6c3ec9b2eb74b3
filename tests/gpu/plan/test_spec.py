"""Specs of every age are read, and those that say nothing sensible are refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from gpu.plan.spec import (
    Caption,
    ClipEdit,
    CropKeyframe,
    EditSpec,
    FrameRate,
    HighlightRegion,
    OutputSize,
    Retime,
    Transition,
    Trim,
    Value,
)

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


ELLIPSE = {"x": 0, "y": 0, "radius_x": 9, "radius_y": 9}


def _crops(count: int) -> dict[str, Any]:
    return {"in_frame": 0, "out_frame": 9000, "crop_keyframes": [{**KEY, "frame": frame} for frame in range(count)]}


def _region(keys: int) -> dict[str, Any]:
    return {"in_frame": 0, "out_frame": 9000, "keyframes": [{**ELLIPSE, "frame": frame} for frame in range(keys)]}


@pytest.mark.parametrize(
    ("kind", "most", "of"),
    [
        (ClipEdit, 5000, _crops),
        (HighlightRegion, 5000, _region),
        (EditSpec, 500, lambda count: {"clips": [{"in_frame": 0, "out_frame": 9}], "regions": [_region(1)] * count}),
        (Caption, 5000, lambda count: {"tags": ["goal"] * count}),
        (Retime, 1000, lambda count: {"boundaries": list(range(count + 1)), "speeds_percent": [100] * count}),
    ],
    ids=["crop keyframes", "ellipse keyframes", "regions", "tags", "speeds"],
)
def test_every_list_has_a_longest_length(kind: type[Value], most: int, of: Callable[[int], dict[str, Any]]) -> None:
    kind.model_validate(of(most))
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(of(most + 1))
    assert {one["type"] for one in refused.value.errors()} == {"too_long"}


def test_boundaries_and_speeds_are_bounded_each_by_itself() -> None:
    with pytest.raises(ValidationError) as refused:
        Retime.model_validate({"boundaries": list(range(1002)), "speeds_percent": [100] * 1001})
    assert [one["loc"] for one in refused.value.errors()] == [("boundaries",), ("speeds_percent",)]
