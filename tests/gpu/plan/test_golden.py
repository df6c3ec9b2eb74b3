"""The formula against its golden fixtures, and the fixtures against values worked out by hand."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.gpu.plan.golden import CASES, FOLDER, PLANS, Case
from tests.gpu.plan.golden_plans import PLAN_CASES, PlanCase, text_of


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
        assert drawn == pytest.approx(expected, abs=1e-9, rel=0), f"frame {frame}"


def read_plan(name: str) -> dict[str, Any]:
    fixture: dict[str, Any] = json.loads((PLANS / f"{name}.json").read_text())
    return fixture


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and text of a JSON value by its path."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, f"{path}.{key}")
    else:
        yield path, value


@pytest.mark.parametrize("case", PLAN_CASES, ids=lambda case: case.name)
def test_every_row_is_the_golden_one(case: PlanCase) -> None:
    golden, now = (dict(leaves(one)) for one in (read_plan(case.name), json.loads(text_of(case.fixture()))))
    assert now.keys() == golden.keys()
    assert {path: (value, golden[path]) for path, value in now.items() if not _same(value, golden[path])} == {}


def _same(value: Any, expected: Any) -> bool:
    if isinstance(value, float) and isinstance(expected, float):
        return abs(value - expected) <= 1e-9
    return bool(value == expected)


def test_every_fixture_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {case.name for case in CASES}
    assert {path.stem for path in PLANS.glob("*.json")} == {case.name for case in PLAN_CASES}


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
    assert left[6] == pytest.approx(50 + 1200 * (3 * (2 / 9) ** 2 - 2 * (2 / 9) ** 3), abs=1e-9)
    assert left[20:] == [1250.0] * 4


def test_smooth_passes_a_keyframe_at_the_weighted_harmonic_mean_of_the_slopes() -> None:
    """At frame 10 the slopes are 20 and 80 a frame over equal lengths: 2 / (1/20 + 1/80) = 32."""
    left = [rectangle[0] for rectangle in read("smooth-through-three")["rectangles"]]
    part = 0.1
    rest = 1 - part
    after = 200 * (1 + 2 * part) * rest**2 + 1000 * (3 - 2 * part) * part**2 + 10 * 32 * part * rest**2
    assert left[10] == 200.0
    assert left[11] == pytest.approx(after, abs=1e-9)


def cubic(part: float, ends: tuple[float, float], speeds: tuple[float, float], length: float) -> float:
    """Hermite's form, with the speeds a frame at both ends."""
    rest = 1 - part
    value = ends[0] * (1 + 2 * part) * rest**2 + ends[1] * (3 - 2 * part) * part**2
    return value + length * (speeds[0] * part * rest**2 - speeds[1] * part**2 * rest)


def test_the_longer_segment_weighs_less_in_the_speed_between_them() -> None:
    """Slopes 50 over 4 frames and 12.5 over 16: 3 * 20 / (36 / 50 + 24 / 12.5) = 22 8/11."""
    left = [rectangle[0] for rectangle in read("smooth-over-uneven-lengths")["rectangles"]]
    assert left[2] == pytest.approx(cubic(0.5, (0, 200), (0, 250 / 11), 4), abs=1e-9)
    assert left[12] == pytest.approx(cubic(0.5, (200, 400), (250 / 11, 0), 16), abs=1e-9)


def test_a_fast_line_enters_a_slow_ease_at_three_times_its_slope() -> None:
    left = [rectangle[0] for rectangle in read("fast-linear-into-slow-smooth")["rectangles"]]
    assert left[15] == pytest.approx(cubic(0.5, (1000, 1100), (30, 0), 10), abs=1e-9)
    assert max(left) == 1100


def test_a_ratio_that_is_a_little_off_becomes_exact_inside_the_rectangle() -> None:
    first = read("ratio-a-little-off")["rectangles"][0]
    assert first == pytest.approx([100 + 1.25, 0, 607.5, 1080])


def frames_in(name: str) -> list[int]:
    return [row["layers"][0]["frame"] for row in read_plan(name)["rows"]]


def test_a_quarter_of_the_speed_shows_each_frame_four_times() -> None:
    assert frames_in("quarter-speed") == [frame for frame in range(10, 16) for _ in range(4)]


def test_four_times_the_speed_shows_each_fourth_frame() -> None:
    """43 frames take 10.75, so 11: steps of 3.9 frames, the first from 1.95 frames on."""
    assert frames_in("four-times-speed") == list(range(11, 52, 4))


def test_a_split_ease_moves_along_one_curve() -> None:
    rows = read_plan("split-inside-an-ease")["rows"]
    assert len(rows) == 11 + 18 + 4
    part = (11 + 1 / 4) / 29
    centre = (100 + 607.5 / 2) * (1 - (3 - 2 * part) * part**2) + (900 + 400 / 2) * (3 - 2 * part) * part**2
    x, _, width, _ = rows[12]["layers"][0]["crop"]
    assert x + width / 2 == pytest.approx(centre, abs=1e-9)


def test_dissolving_clips_lie_over_each_other() -> None:
    rows = read_plan("dissolves-of-two-sources")["rows"]
    assert len(rows) == 20 + 30 + 18 - 8 - 8
    assert [len(row["layers"]) for row in rows] == [1] * 12 + [2] * 8 + [1] * 14 + [2] * 8 + [1] * 10
    assert [row["layers"][1]["opacity"] for row in rows[12:20]] == pytest.approx([step / 9 for step in range(1, 9)])
    assert {row["layers"][0]["opacity"] for row in rows} == {1.0}


def test_a_fade_of_five_goes_down_in_two_and_up_in_three() -> None:
    rows = read_plan("fades-of-odd-length")["rows"]
    dark = [row["layers"][0]["opacity"] for row in rows[28:33]]
    assert dark == pytest.approx([2 / 3, 1 / 3, 1 / 4, 2 / 4, 3 / 4])


def test_regions_begin_and_end_on_their_frames() -> None:
    rows = read_plan("regions-with-fade")["rows"]
    drawn = {frame: row["ellipse"]["strength"] for frame, row in enumerate(rows) if row["ellipse"]}
    assert drawn.keys() == {*range(4, 20), *range(30, 35)}
    assert (drawn[4], drawn[8], drawn[15], drawn[19]) == (0.2, 1.0, 1.0, 0.2)


def test_a_source_of_another_rate_keeps_its_time() -> None:
    assert read_plan("ntsc")["duration"]["duration_ms"] == 1001
    assert read_plan("ntsc-at-25")["duration"]["frame_count"] == 25
    assert frames_in("25-at-60") == [11 + (2 * index + 1) * 5 // 24 for index in range(36)]


def test_full_smoothing_is_a_straight_line() -> None:
    rows = read_plan("smoothing-1")["rows"]
    left = [row["layers"][0]["crop"][0] for row in rows[3:32]]
    steps = [later - earlier for earlier, later in pairwise(left)]
    assert steps == pytest.approx([steps[0]] * len(steps), abs=1e-9)
