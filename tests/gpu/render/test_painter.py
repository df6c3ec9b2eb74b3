"""Pictures of several clips, their transitions and what is drawn over them, compared before any encoder."""

from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan import compile_plan
from gpu.plan.spec import (
    Caption,
    ClipEdit,
    EditSpec,
    EllipseKeyframe,
    HighlightRegion,
    OutputSize,
    Retime,
    Transition,
    TransitionKind,
    Trim,
)
from gpu.render.painter import painted
from gpu.render.picture import planes
from gpu.render.produce import probe_file
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources
from gpu.sample.counter import read_counter
from tests.gpu.render.videos import SIZE

Pictures = npt.NDArray[np.uint8]
"""Y, U and V of each frame, one row of bytes a frame."""
LUMA = SIZE[0] * SIZE[1]


def pictures_of(spec: EditSpec, *videos: Path, start: int = 0) -> Pictures:
    """All frames from `start` on, as the encoder gets them."""
    probes = []
    for video in videos:
        with video.open("rb") as file:
            probes.append(probe_file(file))
    plan = compile_plan(spec, *probes)
    with Shelf(LocalSources(videos)) as shelf:
        frames = painted(plan, range(start, plan.frame_count), shelf, deque())
        return np.array([np.concatenate([plane.ravel() for plane in planes(one)]) for one in frames])


def counters(pictures: Pictures) -> list[int]:
    return [read_counter(one[:LUMA].reshape(SIZE[1], SIZE[0]), SIZE, None) for one in pictures]


def joined(*ranges: tuple[int, int], kind: TransitionKind = "cut", frames: int = 0) -> EditSpec:
    clips = tuple(ClipEdit(in_frame=start, out_frame=end) for start, end in ranges)
    return EditSpec(clips=clips, transition=Transition(kind=kind, frames=frames))


def test_a_cut_shows_one_clip_after_the_other(match: Path) -> None:
    assert counters(pictures_of(joined((50, 60), (10, 15), (58, 63)), match)) == [
        *range(50, 60),
        *range(10, 15),
        *range(58, 63),
    ]


def test_clips_of_two_sources_follow_each_other(match: Path, ntsc: Path) -> None:
    clips = (ClipEdit(in_frame=90, out_frame=95), ClipEdit(source=1, in_frame=3, out_frame=8))
    assert counters(pictures_of(EditSpec(clips=clips), match, ntsc)) == [*range(90, 95), *range(3, 8)]


def test_a_dissolve_lays_the_next_clip_over_the_last_frames(match: Path) -> None:
    first, second = pictures_of(joined((0, 10)), match), pictures_of(joined((60, 70)), match)
    mixed = pictures_of(joined((0, 10), (60, 70), kind="dissolve", frames=4), match)
    assert len(mixed) == 16
    np.testing.assert_array_equal(mixed[:6], first[:6])
    np.testing.assert_array_equal(mixed[10:], second[4:])
    for index, weight in enumerate((0.2, 0.4, 0.6, 0.8)):
        wanted = first[6 + index] * (1 - weight) + second[index] * weight
        assert np.abs(mixed[6 + index] - wanted).max() <= 0.5 + 1e-6


def test_a_clip_dissolves_at_both_ends(match: Path) -> None:
    mixed = pictures_of(joined((0, 10), (60, 70), (90, 100), kind="dissolve", frames=5), match)
    alone = pictures_of(joined((90, 100)), match)
    assert len(mixed) == 20
    np.testing.assert_array_equal(mixed[-5:], alone[-5:])


def test_a_fade_goes_to_black_and_comes_back(match: Path) -> None:
    first, second = pictures_of(joined((0, 10)), match), pictures_of(joined((60, 70)), match)
    faded = pictures_of(joined((0, 10), (60, 70), kind="fade", frames=6), match)
    black = np.concatenate([np.full(LUMA, 16.0), np.full(LUMA // 2, 128.0)])
    assert len(faded) == 20
    np.testing.assert_array_equal(faded[:7], first[:7])
    np.testing.assert_array_equal(faded[13:], second[3:])
    for index, (picture, level) in enumerate([(first[7], 0.75), (first[8], 0.5), (first[9], 0.25)]):
        assert np.abs(faded[7 + index] - (black + (picture - black) * level)).max() <= 0.5 + 1e-6
    for index, level in enumerate((0.25, 0.5, 0.75)):
        assert np.abs(faded[10 + index] - (black + (second[index] - black) * level)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("start", [1, 8, 9, 15, 24, 27])
def test_a_part_paints_what_the_whole_does(match: Path, start: int) -> None:
    clips = (
        ClipEdit(in_frame=0, out_frame=10),
        ClipEdit(in_frame=30, out_frame=40, retime=Retime(boundaries=(0, 4, 10), speeds_percent=(50, 100))),
        ClipEdit(in_frame=8, out_frame=28, trim=Trim(in_frame=5, out_frame=15)),
    )
    spec = EditSpec(clips=clips, transition=Transition(kind="dissolve", frames=3))
    whole = pictures_of(spec, match)
    np.testing.assert_array_equal(pictures_of(spec, match, start=start), whole[start:])


def test_speeds_repeat_and_leave_out_frames(match: Path) -> None:
    retime = Retime(boundaries=(0, 3, 11, 15), speeds_percent=(50, 400, 100))
    spec = EditSpec(clips=(ClipEdit(in_frame=20, out_frame=35, retime=retime),))
    assert counters(pictures_of(spec, match)) == [20, 20, 21, 21, 22, 22, 25, 29, 31, 32, 33, 34]


def test_nothing_is_drawn_outside_an_enabled_region(match: Path) -> None:
    key = EllipseKeyframe(frame=12, x=160, y=90, radius_x=40, radius_y=60)
    regions = (
        HighlightRegion(in_frame=5, out_frame=15, keyframes=(key,)),
        HighlightRegion(in_frame=20, out_frame=25, keyframes=(key.model_copy(update={"frame": 20}),), enabled=False),
    )
    plain = pictures_of(joined((0, 30)), match)
    drawn = pictures_of(joined((0, 30)).model_copy(update={"regions": regions}), match)
    changed = [bool((one != other).any()) for one, other in zip(plain, drawn, strict=True)]
    assert changed == [5 <= number < 15 for number in range(30)]


def test_a_caption_is_on_its_own_clip_only(match: Path) -> None:
    plain = joined((0, 5), (30, 35))
    clips = (plain.clips[0].model_copy(update={"caption": Caption(rating=4, notes="Goal!")}), plain.clips[1])
    before, after = pictures_of(plain, match), pictures_of(EditSpec(clips=clips), match)
    assert [bool((one != other).any()) for one, other in zip(before, after, strict=True)] == [True] * 5 + [False] * 5


def test_a_source_of_another_shape_is_cropped_to_fit(match: Path) -> None:
    clips = (ClipEdit(in_frame=0, out_frame=2), ClipEdit(in_frame=40, out_frame=42))
    spec = EditSpec(clips=clips, size=OutputSize(width=90, height=160))
    assert pictures_of(spec, match).shape == (4, 90 * 160 * 3 // 2)
