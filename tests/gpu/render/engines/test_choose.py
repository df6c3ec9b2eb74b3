"""Which engine is taken where, and what is said of it."""

from pathlib import Path
from typing import NoReturn

import pytest

from gpu.plan.spec import EditSpec, OutputSize
from gpu.render.engines.choose import Environment, choose
from gpu.render.engines.gpu_probe import Gpu
from gpu.render.engines.unable import EngineUnable
from gpu.render.sources import HttpSources, LocalSources
from tests.gpu.render.engines.agreement import plan_of

CARD = Gpu("Tesla T4", "h264_nvenc", "encoded by NVENC")


def no_gpu() -> NoReturn:
    raise EngineUnable("there is no NVIDIA driver here")


def no_program() -> NoReturn:
    raise EngineUnable("there is no ffmpeg program here")


def program() -> Path:
    return Path("/usr/bin/ffmpeg")


NOTHING = Environment(no_gpu, no_program)
URLS = HttpSources(["http://127.0.0.1/match.mp4"])


def test_a_gpu_is_taken_first(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 9), match)
    choice = choose(plan, LocalSources([match]), environment=Environment(lambda: CARD, program))
    assert choice == ("nvdec", "Made by nvdec: decoded on Tesla T4, encoded by NVENC.")


def test_a_plain_cut_of_a_file_goes_through_ffmpeg_when_it_is_asked_for(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 9), match)
    choice = choose(plan, LocalSources([match]), "ffmpeg", Environment(no_gpu, program))
    assert choice == ("ffmpeg", "Made by ffmpeg: a plain cut of a local file.")


@pytest.mark.parametrize(
    ("local", "scaled", "environment", "reason"),
    [
        (True, False, NOTHING, "there is no ffmpeg program here"),
        (True, True, Environment(no_gpu, program), "its crop is scaled"),
        (
            False,
            False,
            Environment(no_gpu, program),
            "its source is not a local file, and an FFmpeg program gets no network",
        ),
    ],
)
def test_everything_else_is_the_reference_engines_which_says_why(
    match: Path, local: bool, scaled: bool, environment: Environment, reason: str
) -> None:
    plan = plan_of(EditSpec.of_clip(0, 9, size=OutputSize(width=100, height=100) if scaled else None), match)
    choice = choose(plan, LocalSources([match]) if local else URLS, "ffmpeg", environment)
    assert choice == ("pyav", f"Made by pyav; not by ffmpeg: {reason}.")


def test_by_itself_a_machine_without_a_gpu_takes_the_reference_engine(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 9), match)
    choice = choose(plan, LocalSources([match]), environment=Environment(no_gpu, program))
    assert choice == ("pyav", "Made by pyav; not by nvdec: there is no NVIDIA driver here.")


def test_an_engine_that_was_asked_for_and_cannot_gives_way_to_the_reference(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(0, 9), match)
    choice = choose(plan, LocalSources([match]), "nvdec", Environment(no_gpu, program))
    assert choice == ("pyav", "Made by pyav; not by nvdec: there is no NVIDIA driver here.")


def test_the_reference_engine_can_be_asked_for_without_a_look_at_the_machine(match: Path) -> None:
    def looked() -> NoReturn:
        raise AssertionError("the machine was looked at")

    plan = plan_of(EditSpec.of_clip(0, 9), match)
    assert choose(plan, LocalSources([match]), "pyav", Environment(looked, looked)).engine == "pyav"
