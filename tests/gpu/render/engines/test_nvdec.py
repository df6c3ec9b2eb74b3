"""The GPU engine from source to file on torch's CPU device: decoded in software, encoded by x264, published as any."""

import threading
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from gpu.plan.spec import ClipEdit, EditSpec
from gpu.render import engine, gates
from gpu.render.engines import nvdec
from gpu.render.engines.gpu_probe import this_gpu
from gpu.render.engines.nvdec import Machine
from gpu.render.engines.unable import EngineUnable
from gpu.render.errors import MediaFailure
from gpu.render.sources import LocalSources
from gpu.render.writer import PartWriter
from tests.gpu.render.engines.agreement import any_edit, plan_of
from tests.gpu.render.engines.vmaf import vmaf, write_lossless
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.videos import HEIGHT, WIDTH, read_sound

CPU = Machine("cpu", "libx264")


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch", reason="torch is only on images for GPUs")


def test_parts_sound_and_frames_are_those_of_the_plan(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 120), match)
    out, seen = tmp_path / "out.mp4", list[int]()
    nvdec.render(plan, LocalSources([match]), out, seen.append, CPU)
    gates.check(gates.measure(out), plan)
    assert numbers_in(out) == list(range(120))
    assert seen == list(range(1, 121))
    expected = tmp_path / "reference.mp4"
    engine.render(plan, LocalSources([match]), expected, lambda _: None)
    assert read_sound(out).tobytes() == read_sound(expected).tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "reference.mp4"]


def test_its_files_look_as_good_as_the_references(match: Path, tmp_path: Path) -> None:
    plan = plan_of(any_edit(20261122, 30, WIDTH, HEIGHT), match)
    out, expected, original = (tmp_path / f"{name}.mp4" for name in ("nvdec", "pyav", "lossless"))
    nvdec.render(plan, LocalSources([match]), out, lambda _: None, CPU)
    engine.render(plan, LocalSources([match]), expected, lambda _: None)
    write_lossless(plan, original, match)
    assert abs(vmaf(out, original) - vmaf(expected, original)) <= 1


def test_the_same_plan_gives_the_same_bytes(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec.of_clip(5, 25), match)
    files = [tmp_path / "one.mp4", tmp_path / "other.mp4"]
    for file in files:
        nvdec.render(plan, LocalSources([match]), file, lambda _: None, CPU)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_caller_who_gives_up_stops_all_parts_and_leaves_none(
    match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_up, added = threading.Event(), list[int]()
    real = PartWriter.add

    def add(writer: PartWriter, picture: VideoFrame) -> None:
        if len(added) > 20:
            gave_up.wait(60)
        added.append(1)
        real(writer, picture)

    def give_up(frames: int) -> None:
        if frames > 3:
            gave_up.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(PartWriter, "add", add)
    plan = plan_of(EditSpec.of_clip(0, 120), match)
    with pytest.raises(KeyboardInterrupt):
        nvdec.render(plan, LocalSources([match]), tmp_path / "out.mp4", give_up, CPU)
    assert len(added) < 100
    assert not list(tmp_path.iterdir())


def test_a_device_that_fails_is_no_fault_of_the_file(
    match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr("gpu.render.engines.torch_painter.highlight", full)
    with pytest.raises(EngineUnable, match="CUDA out of memory"):
        nvdec.render(
            plan_of(EditSpec.of_clip(0, 9), match), LocalSources([match]), tmp_path / "out.mp4", lambda _: None, CPU
        )


def test_a_part_that_fails_stops_the_others_and_is_the_one_that_is_told(
    match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Event()
    real = PartWriter.add

    def add(writer: PartWriter, picture: VideoFrame) -> None:
        if "1.part" in writer._container.name:
            full.set()
            raise OSError(28, "no space left")
        full.wait(60)
        real(writer, picture)

    monkeypatch.setattr(PartWriter, "add", add)
    plan, seen = plan_of(EditSpec.of_clip(0, 120, audio=False), match), list[int]()
    with pytest.raises(OSError, match="no space left"):
        nvdec.render(plan, LocalSources([match]), tmp_path / "out.mp4", seen.append, CPU)
    assert len(seen) < 50
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_video_is_refused_as_ever(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec(clips=(ClipEdit(in_frame=0, out_frame=9),)), match)
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"nothing")
    with pytest.raises(MediaFailure) as failed:
        nvdec.render(plan, LocalSources([empty]), tmp_path / "out.mp4", lambda _: None, CPU)
    assert failed.value.code == "not_a_video"


def test_a_source_cannot_be_opened_on_a_gpu_that_is_not_there(match: Path, tmp_path: Path) -> None:
    if _has_gpu():
        pytest.skip("this machine has a GPU")
    plan = plan_of(EditSpec.of_clip(0, 9), match)
    with pytest.raises(EngineUnable, match="decoding"):
        nvdec.render(plan, LocalSources([match]), tmp_path / "out.mp4", lambda _: None, Machine("cuda", "libx264"))


def _has_gpu() -> bool:
    try:
        this_gpu()
    except EngineUnable:
        return False
    return True
