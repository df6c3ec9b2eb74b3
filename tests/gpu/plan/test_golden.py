"""The formula against its golden fixtures, and the fixtures against values worked out by hand."""

import json
from typing import Any

import pytest

from tests.gpu.plan.golden import CASES, FOLDER, Case


def read(name: str) -> dict[str, Any]:
    fixture: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return fixture


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_rectangle_is_the_golden_one(case: Case) -> None:
    golden = read(case.name)
    now = case.fixture()
    assert {key: now[key] for key in now if key != "rectangles"} == {
        key: golden[key] for key in golden if key != "rectangles"
    }
    for frame, (drawn, expected) in enumerate(zip(now["rectangles"], golden["rectangles"], strict=True)):
        assert drawn == pytest.approx(expected, abs=1e-6), f"frame {frame}"


def test_every_fixture_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {case.name for case in CASES}


def test_a_single_keyframe_stands_still() -> None:
    assert read("one-keyframe")["rectangles"] == [[400.0, 0.0, 607.5, 1080.0]] * 6


def test_linear_moves_the_same_way_each_frame() -> None:
    assert [rectangle[0] for rectangle in read("linear-pan")["rectangles"]] == [*range(0, 1001, 100), 1000.0]


def test_hold_jumps_at_the_next_keyframe() -> None:
    assert [rectangle[0] for rectangle in read("hold-then-jump")["rectangles"]] == [100.0] * 6 + [900.0] * 6


def test_smooth_between_two_keyframes_is_smoothstep() -> None:
    left = [rectangle[0] for rectangle in read("smooth-pan")["rectangles"]]
    assert left[:3] == [50.0] * 3
    assert left[11] == pytest.approx((50 + 1250) / 2)
    assert left[6] == pytest.approx(50 + 1200 * (3 * (2 / 9) ** 2 - 2 * (2 / 9) ** 3), abs=1e-6)
    assert left[20:] == [1250.0] * 4


def test_smooth_passes_a_keyframe_at_the_weighted_harmonic_mean_of_the_slopes() -> None:
    """At frame 10 the slopes are 20 and 80 a frame over equal lengths: 2 / (1/20 + 1/80) = 32."""
    left = [rectangle[0] for rectangle in read("smooth-through-three")["rectangles"]]
    part = 0.1
    rest = 1 - part
    after = 200 * (1 + 2 * part) * rest**2 + 1000 * (3 - 2 * part) * part**2 + 10 * 32 * part * rest**2
    assert left[10] == 200.0
    assert left[11] == pytest.approx(after, abs=1e-6)


def test_a_ratio_that_is_a_little_off_becomes_exact_inside_the_rectangle() -> None:
    first = read("ratio-a-little-off")["rectangles"][0]
    assert first == pytest.approx([100 + 1.25, 0, 607.5, 1080])
