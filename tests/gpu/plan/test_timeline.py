"""Lengths and places on the output's frames, worked out by hand."""

import pytest

from gpu.plan.spec import ClipEdit, EditSpec, FrameRate, Retime, Transition, Trim
from gpu.plan.timeline import Placement, Span, speeds, timeline
from tests.gpu.plan.specs import probe

NTSC = (30000, 1001)


def clip(
    frames: int, boundaries: tuple[int, ...] = (), percents: tuple[int, ...] = (), trim: tuple[int, int] | None = None
) -> ClipEdit:
    return ClipEdit(
        in_frame=0,
        out_frame=frames,
        retime=Retime(boundaries=boundaries, speeds_percent=percents) if boundaries else None,
        trim=Trim(in_frame=trim[0], out_frame=trim[1]) if trim else None,
    )


def placed(
    *clips: ClipEdit, fps: tuple[int, int] = (30, 1), rate: tuple[int, int] | None = None, dissolve: int = 0
) -> list[Placement]:
    transition = Transition(kind="dissolve", frames=dissolve) if dissolve else Transition()
    out = FrameRate(num=rate[0], den=rate[1]) if rate else None
    return timeline(EditSpec(clips=clips, rate=out, transition=transition), [probe(fps=fps, frames=10_000)])


@pytest.mark.parametrize(
    ("fps", "rate", "frames", "count"),
    [
        (NTSC, (30, 1), 499, 499),
        (NTSC, (30, 1), 500, 501),
        ((30, 1), NTSC, 501, 500),
        ((120, 1), (30, 1), 402, 101),
        ((120, 1), (30, 1), 401, 100),
        ((25, 1), (60, 1), 100, 240),
        ((24000, 1001), (25, 1), 240, 250),
        ((50, 1), None, 77, 77),
    ],
)
def test_another_rate_keeps_the_time_to_the_nearest_frame(
    fps: tuple[int, int], rate: tuple[int, int] | None, frames: int, count: int
) -> None:
    (placement,) = placed(clip(frames), fps=fps, rate=rate)
    assert placement.count == count


@pytest.mark.parametrize(("percent", "count"), [(25, 40), (50, 20), (100, 10), (133, 8), (200, 5), (400, 3)])
def test_a_speed_divides_the_frames_halves_up(percent: int, count: int) -> None:
    (placement,) = placed(clip(10, (0, 10), (percent,)))
    assert placement.count == count


def test_lengths_round_at_each_end_from_the_exact_sum_before_it() -> None:
    """Ten frames by turns at full and three times the speed: ends at 1, 1 1/3, 2 1/3, 2 2/3, ... 6 2/3."""
    (placement,) = placed(clip(10, tuple(range(11)), (100, 300) * 5))
    assert [(span.clip_frame, span.first, span.count) for span in placement.spans] == [
        (0, 0, 1), (2, 1, 1), (3, 2, 1), (4, 3, 1), (6, 4, 1), (8, 5, 1), (9, 6, 1),
    ]  # fmt: skip
    assert placement.count == 7


def test_a_trim_cuts_intervals_and_leaves_their_speeds() -> None:
    one = clip(100, (0, 30, 60, 100), (50, 200, 25), trim=(20, 64))
    assert speeds(one) == [(20, 30, 50), (30, 60, 200), (60, 64, 25)]
    (placement,) = placed(one)
    assert placement.spans == (Span(20, 10, 50, 0, 20), Span(30, 30, 200, 20, 15), Span(60, 4, 25, 35, 16))


def test_a_trim_at_a_boundary_leaves_no_empty_interval() -> None:
    assert speeds(clip(100, (0, 30, 60, 100), (50, 200, 25), trim=(30, 60))) == [(30, 60, 200)]


def test_neighbours_of_one_speed_are_one_interval() -> None:
    assert speeds(clip(9, (0, 2, 4, 6, 9), (100, 100, 50, 100))) == [(0, 4, 100), (4, 6, 50), (6, 9, 100)]


@pytest.mark.parametrize(
    ("span", "frames"),
    [
        (Span(10, 3, 25, 0, 12), [10] * 4 + [11] * 4 + [12] * 4),
        (Span(10, 3, 50, 0, 6), [10, 10, 11, 11, 12, 12]),
        (Span(10, 5, 100, 0, 5), [10, 11, 12, 13, 14]),
        (Span(10, 4, 80, 0, 5), [10, 11, 12, 12, 13]),
        (Span(10, 6, 200, 0, 3), [11, 13, 15]),
        (Span(10, 12, 400, 0, 3), [12, 16, 20]),
    ],
)
def test_an_output_frame_shows_the_frame_within_which_its_middle_lies(span: Span, frames: list[int]) -> None:
    assert [span.source_offset(index) for index in range(span.count)] == frames


@pytest.mark.parametrize(
    ("span", "times"),
    [
        (Span(10, 2, 50, 0, 4), [9.75, 10.25, 10.75, 11.25]),
        (Span(10, 3, 100, 0, 3), [10, 11, 12]),
        (Span(10, 6, 200, 0, 3), [10.5, 12.5, 14.5]),
    ],
)
def test_the_moment_of_an_output_frame_is_counted_from_middle_to_middle(span: Span, times: list[float]) -> None:
    assert [span.clip_time(index) for index in range(span.count)] == times


def test_three_clips_dissolve_with_two_on_a_frame_at_most() -> None:
    placements = placed(clip(20), clip(16), clip(30), dissolve=8)
    assert [(one.first, one.end) for one in placements] == [(0, 20), (12, 28), (20, 50)]
