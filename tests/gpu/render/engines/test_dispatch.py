"""A render by the chosen engine, and what happens when that one gives up."""

from pathlib import Path
from typing import NoReturn

import pytest

from gpu.plan.spec import EditSpec
from gpu.render import engine, gates
from gpu.render.engines import dispatch, ffmpeg
from gpu.render.engines.choose import Environment
from gpu.render.engines.unable import EngineUnable
from gpu.render.errors import MediaFailure
from gpu.render.sources import LocalSources
from tests.gpu.render.engines.agreement import plan_of
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.videos import write_video


def no_gpu() -> NoReturn:
    raise EngineUnable("there is no NVIDIA driver here")


LAPTOP = Environment(gpu=no_gpu)


def test_the_result_names_the_engine_that_made_it(match: Path, tmp_path: Path) -> None:
    plan = plan_of(EditSpec.of_clip(50, 60), match)
    for wanted, name in (("ffmpeg", ffmpeg.ENGINE), ("auto", engine.ENGINE), ("pyav", engine.ENGINE)):
        out = tmp_path / f"{wanted}.mp4"
        made = dispatch.render(
            plan,
            LocalSources([match]),
            out,
            lambda _: None,
            wanted=wanted,  # type: ignore[arg-type]
            environment=LAPTOP,
        )
        assert made.engine == name
        gates.check(gates.measure(out), plan)
        assert numbers_in(out) == list(range(50, 60))


def test_an_engine_that_gives_up_is_followed_by_the_reference(folder: Path, tmp_path: Path) -> None:
    turned = write_video(folder / "turned.mp4", 12, rotation=90)
    plan = plan_of(EditSpec.of_clip(2, 9), turned)
    out = tmp_path / "out.mp4"
    made = dispatch.render(plan, LocalSources([turned]), out, lambda _: None, wanted="ffmpeg", environment=LAPTOP)
    assert made.engine == engine.ENGINE
    assert made.reason == "Made by pyav; ffmpeg gave up: its pictures are turned or not of square pixels."
    gates.check(gates.measure(out), plan)


def test_progress_does_not_fall_back_with_the_engine(
    match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_way(_plan: object, _sources: object, _path: object, on_frame: dispatch.OnFrame, _program: object) -> None:
        on_frame(5)
        raise EngineUnable("it was a bad day")

    monkeypatch.setattr(ffmpeg, "render", half_way)
    plan, seen = plan_of(EditSpec.of_clip(0, 10), match), list[int]()
    made = dispatch.render(
        plan, LocalSources([match]), tmp_path / "out.mp4", seen.append, wanted="ffmpeg", environment=LAPTOP
    )
    assert seen == [5, 6, 7, 8, 9, 10]
    assert "it was a bad day" in made.reason


def test_a_mistake_in_the_file_is_told_once(match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def untouched(*_: object) -> NoReturn:
        raise AssertionError("the reference engine tried a file that was refused")

    plan = plan_of(EditSpec.of_clip(0, 10), match)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(match.read_bytes()[:20_000])
    monkeypatch.setattr(engine, "render", untouched)
    with pytest.raises(MediaFailure):
        dispatch.render(
            plan, LocalSources([broken]), tmp_path / "out.mp4", lambda _: None, wanted="ffmpeg", environment=LAPTOP
        )
