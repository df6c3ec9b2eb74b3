"""The highlight's first and last frames, its fades and its colours."""

from typing import Any

from gpu.plan.ellipse import Ellipse
from gpu.plan.highlight import ellipse_track
from gpu.plan.spec import EllipseKeyframe, HighlightRegion


def key(frame: int, x: float = 0, color: str = "#ffd400", **other: Any) -> EllipseKeyframe:
    return EllipseKeyframe(frame=frame, x=x, y=5, radius_x=20, radius_y=10, color=color, **other)


def region(start: int, end: int, *keys: EllipseKeyframe, **other: Any) -> HighlightRegion:
    return HighlightRegion(in_frame=start, out_frame=end, keyframes=keys or (key(start),), **other)


def strengths(*regions: HighlightRegion, frames: int = 12) -> list[float | None]:
    return [ellipse.strength if ellipse else None for ellipse in ellipse_track(regions, frames)]


def test_nothing_is_drawn_before_the_first_frame_and_after_the_last() -> None:
    assert strengths(region(3, 5), frames=7) == [None, None, None, 1, 1, None, None]


def test_a_fade_steps_evenly_from_the_first_frame_and_to_the_last() -> None:
    assert strengths(region(1, 9, fade_frames=3), frames=10) == [None, 0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25, None]


def test_a_region_shorter_than_its_fades_does_not_reach_full_strength() -> None:
    assert strengths(region(0, 3, fade_frames=3), frames=3) == [0.25, 0.5, 0.25]


def test_a_disabled_region_draws_nothing() -> None:
    assert strengths(region(0, 3, enabled=False), region(3, 4), frames=5) == [None, None, None, 1, None]


def test_colours_change_at_their_keyframe_and_the_first_holds_before_it() -> None:
    keys = key(2, color="#111111"), key(4, color="#222222"), key(6, color="#333333")
    colors = [ellipse.color for ellipse in ellipse_track([region(0, 8, *keys)], 8) if ellipse]
    assert colors == ["#111111"] * 4 + ["#222222"] * 2 + ["#333333"] * 2


def test_every_number_of_the_ellipse_moves_with_its_keyframes() -> None:
    start = EllipseKeyframe(
        frame=0, x=0, y=10, radius_x=20, radius_y=30, stroke_opacity=0.4, fill_opacity=0.5, easing="linear"
    )
    end = EllipseKeyframe(frame=2, x=2, y=14, radius_x=26, radius_y=38, stroke_opacity=0.6, fill_opacity=0.9)
    middle = ellipse_track([region(0, 3, start, end)], 3)[1]
    assert middle == Ellipse(1, 12, 23, 34, "#ffd400", 0.5, 0.7, 1.0)
