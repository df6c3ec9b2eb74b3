"""The sound is made beside the pictures, by a thread of its own, and both become one file."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import pytest

from gpu.plan import RenderPlan
from gpu.plan.spec import ClipEdit, EditSpec, Retime
from gpu.render.errors import MediaFailure
from gpu.render.finish import finishing
from gpu.render.join import Part, join
from gpu.render.sound_part import written_sound
from gpu.render.sources import LocalFile, LocalSources, SourceFile
from gpu.render.writer import PartWriter
from tests.gpu.render.rendering import numbers_in, plan_of
from tests.gpu.render.videos import RATE, paintings

HANG_SECONDS = 60
FRAMES = 60


class Opened(LocalSources):
    """One source; `tells` is called before each opening."""

    def __init__(self, video: Path, tells: Callable[[], None]) -> None:
        super().__init__([video])
        self._tells = tells

    def open(self, index: int) -> SourceFile:
        self._tells()
        return super().open(index)


class Stalled(LocalFile):
    """A storage that answers nothing until the read is ended."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.ended = threading.Event(), threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked.set()
        assert self.ended.wait(HANG_SECONDS)
        raise MediaFailure("source_unreachable", "the read was ended")

    def abort(self) -> None:
        self.ended.set()


class StalledSources(LocalSources):
    def __init__(self, video: Path) -> None:
        super().__init__([video])
        self.file = Stalled(video)

    def open(self, index: int) -> SourceFile:
        return self.file


@pytest.fixture
def plan(match: Path) -> RenderPlan:
    return plan_of(match, EditSpec.of_clip(0, FRAMES))


@pytest.fixture
def part(tmp_path: Path, plan: RenderPlan) -> Part:
    return pictures_of(plan, tmp_path / "pictures")


def pictures_of(plan: RenderPlan, path: Path) -> Part:
    with PartWriter(path, plan.size, RATE) as writer:
        for frame in paintings(plan.frame_count):
            writer.add(frame)
    return Part(path, 0)


@contextmanager
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_the_file_has_all_pictures_and_all_samples(match: Path, plan: RenderPlan, part: Part, tmp_path: Path) -> None:
    with no_thread_left(), finishing(plan, LocalSources([match]), tmp_path / "out.mp4") as finish:
        finish([part])
    assert numbers_in(tmp_path / "out.mp4") == list(range(FRAMES))
    with av.open(str(tmp_path / "out.mp4")) as container:
        (sound,) = container.streams.audio
        assert sound.duration is not None
        assert sound.time_base is not None
        assert sound.duration * sound.time_base == FRAMES / RATE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "pictures"]


@pytest.mark.parametrize("samples", [1025, 94 * 1024 + 7, 1500 * 1024 + 32])
def test_no_sample_is_lost_on_the_way(part: Part, tmp_path: Path, samples: int) -> None:
    sound = [np.zeros((2, samples), np.float32)]
    assert list(written_sound(sound, tmp_path / "sound")) == [samples]
    join([part], RATE, tmp_path / "sound", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].duration == samples


def test_the_sound_does_not_wait_for_the_pictures(match: Path, plan: RenderPlan, tmp_path: Path) -> None:
    begun = threading.Event()
    with finishing(plan, Opened(match, begun.set), tmp_path / "out.mp4"):
        assert begun.wait(HANG_SECONDS)


def test_sound_and_pictures_alternate_in_a_long_file(match: Path, tmp_path: Path) -> None:
    slow = ClipEdit(in_frame=0, out_frame=120, retime=Retime(boundaries=(0, 120), speeds_percent=(25,)))
    plan = plan_of(match, EditSpec(clips=(slow,)))
    part = pictures_of(plan, tmp_path / "pictures")
    with finishing(plan, LocalSources([match]), tmp_path / "out.mp4") as finish:
        finish([part])
    with av.open(str(tmp_path / "out.mp4")) as container:
        stored = sorted(
            (one.pos, one.dts * one.time_base) for one in container.demux() if one.pos and one.dts is not None
        )
    times = [time for _, time in stored]
    assert max(furthest - time for furthest, time in zip(accumulate(times, max), times, strict=True)) < 1


def test_pictures_that_fail_end_a_sound_that_waits(match: Path, plan: RenderPlan, tmp_path: Path) -> None:
    sources = StalledSources(match)

    def draw() -> None:
        with finishing(plan, sources, tmp_path / "out.mp4"):
            assert sources.file.asked.wait(HANG_SECONDS)
            raise KeyError("the pictures failed")

    with no_thread_left(), pytest.raises(KeyError):
        draw()
    assert sources.file.ended.is_set()
    assert list(tmp_path.iterdir()) == []


def test_a_sound_that_fails_is_told_with_its_reason(match: Path, plan: RenderPlan, part: Part, tmp_path: Path) -> None:
    def lose() -> None:
        raise MediaFailure("source_unreachable", "the storage is gone")

    sources = Opened(match, lose)
    with (
        no_thread_left(),
        pytest.raises(MediaFailure, match="the storage is gone"),
        finishing(plan, sources, tmp_path / "out.mp4") as finish,
    ):
        finish([part])
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_without_sound_no_source_is_opened(match: Path, part: Part, tmp_path: Path) -> None:
    opened: list[bool] = []
    plan = plan_of(match, EditSpec.of_clip(0, FRAMES, audio=False))
    with finishing(plan, Opened(match, lambda: opened.append(True)), tmp_path / "out.mp4") as finish:
        finish([part])
    assert not opened
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
