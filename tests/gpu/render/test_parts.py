"""A render is split by its plan alone, and joined without a seam."""

import multiprocessing
from fractions import Fraction
from pathlib import Path

import av
import pytest

from gpu.plan import RenderPlan, compile_plan
from gpu.plan.geometry import Size
from gpu.plan.spec import EditSpec
from gpu.render import engine
from gpu.render.join import Part, join
from gpu.render.parts import MOST_PARTS, SHORTEST_SECONDS, parts, parts_at_once
from gpu.render.sources import LocalSources
from gpu.render.writer import PartWriter
from tests.gpu.plan.specs import probe
from tests.gpu.render.rendering import numbers_in, plan_of
from tests.gpu.render.videos import HEIGHT, RATE, WIDTH, paintings


def planned(frames: int, fps: tuple[int, int] = (30, 1)) -> RenderPlan:
    """A plan of which only the number of frames and the rate are looked at."""
    return compile_plan(EditSpec.of_clip(0, frames), probe(fps=fps, frames=frames))


@pytest.mark.parametrize("fps", [(30, 1), (30000, 1001), (24, 1), (120, 1)])
@pytest.mark.parametrize("seconds", [0.1, 1, 3.9, 4, 5, 7.7, 60, 1199])
def test_parts_follow_each_other_and_none_is_short(seconds: float, fps: tuple[int, int]) -> None:
    plan = planned(max(1, round(seconds * fps[0] / fps[1])), fps)
    ranges = parts(plan)
    assert [number for one in ranges for number in one] == list(range(plan.frame_count))
    assert 1 <= len(ranges) <= MOST_PARTS
    assert len(ranges) == 1 or min(map(len, ranges)) >= SHORTEST_SECONDS * plan.rate - len(ranges)


def test_a_long_render_has_more_than_one_part() -> None:
    assert [len(parts(planned(frames))) for frames in (119, 120, 180, 240, 9000)] == [1, 2, 3, 4, 4]


@pytest.mark.parametrize(
    ("size", "cores", "at_once"),
    [((1920, 1080), 2, 2), ((1920, 1080), 16, 4), ((3840, 2160), 16, 1), ((7680, 4320), 2, 1), ((640, 360), 3, 3)],
)
def test_large_pictures_are_encoded_by_fewer_processes(size: tuple[int, int], cores: int, at_once: int) -> None:
    plan = compile_plan(EditSpec.of_clip(0, 300), probe(*size, frames=300))
    assert parts_at_once(plan, cores) == at_once


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_the_number_of_processes_does_not_change_a_byte(match: Path, tmp_path: Path, processes: int) -> None:
    plan = plan_of(match, EditSpec.of_clip(0, 120))
    assert len(parts(plan)) > 1
    engine.render(plan, LocalSources([match]), tmp_path / "one.mp4", lambda done: None, cores=2)
    engine.render(plan, LocalSources([match]), tmp_path / "two.mp4", lambda done: None, cores=processes)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_nothing_but_the_result_is_left(match: Path, tmp_path: Path) -> None:
    plan = plan_of(match, EditSpec.of_clip(0, 120))
    engine.render(plan, LocalSources([match]), tmp_path / "out.mp4", lambda done: None)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert multiprocessing.active_children() == []


def test_progress_counts_the_frames_of_all_parts(match: Path, tmp_path: Path) -> None:
    said: list[int] = []
    engine.render(plan_of(match, EditSpec.of_clip(0, 120)), LocalSources([match]), tmp_path / "out.mp4", said.append)
    assert said == list(range(1, 121))


def written(path: Path, start: int, count: int, rate: Fraction = RATE) -> Part:
    """A part whose pictures carry the numbers from `start` on."""
    with PartWriter(path, Size(WIDTH, HEIGHT), rate) as writer:
        for frame in paintings(start + count)[start:]:
            writer.add(frame)
    return Part(path, start)


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(50)])
def test_joined_pictures_are_those_of_the_parts_evenly_spaced(tmp_path: Path, rate: Fraction) -> None:
    pieces = [written(tmp_path / f"{start}.part", start, count, rate) for start, count in ((0, 31), (31, 7), (38, 40))]
    join(pieces, rate, None, tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4") == list(range(78))
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [one for one in container.demux(video=0) if one.pts is not None and one.dts is not None]
        shown = sorted(one.pts * one.time_base for one in packets if one.pts is not None)
        decoded = [one.dts for one in packets if one.dts is not None]
    assert shown == [number / rate for number in range(78)]
    assert decoded == sorted(set(decoded))


def test_parts_of_another_size_are_not_joined(tmp_path: Path) -> None:
    good = written(tmp_path / "good.part", 0, 4)
    with PartWriter(tmp_path / "other.part", Size(64, 64), RATE) as writer:
        writer.add(av.VideoFrame(64, 64, "yuv420p"))
    with pytest.raises(ValueError, match=r"other\.part was encoded with other parameters"):
        join([good, Part(tmp_path / "other.part", 4)], RATE, None, tmp_path / "out.mp4")


def test_a_part_between_two_ticks_is_refused(tmp_path: Path) -> None:
    part = written(tmp_path / "one.part", 0, 4)
    with pytest.raises(ValueError, match="between the ticks"):
        join([part._replace(first=1)], Fraction(7, 3), None, tmp_path / "out.mp4")
