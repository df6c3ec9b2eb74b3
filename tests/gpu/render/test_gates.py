"""Every gate closes: a file that breaks one promise is named for it."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gpu.plan import RenderPlan
from gpu.plan.geometry import Size
from gpu.plan.spec import EditSpec
from gpu.render.errors import MediaFailure
from gpu.render.gates import Measured, check, measure
from tests.gpu.render.rendering import plan_of, render
from tests.gpu.render.videos import write_video

SPEC = EditSpec.of_clip(in_frame=0, out_frame=30)


@pytest.fixture(scope="module")
def good(match: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Measured, RenderPlan]:
    path = tmp_path_factory.mktemp("gates") / "out.mp4"
    render(match, SPEC, path)
    return measure(path), plan_of(match, SPEC)


def test_a_good_file_passes(good: tuple[Measured, RenderPlan]) -> None:
    check(*good)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda one: replace(one, width=318), "it is 318 x 180"),
        (lambda one: replace(one, timestamps=one.timestamps[:-1]), "29 frames, planned 30"),
        (lambda one: replace(one, timestamps=(*one.timestamps[:-1], Fraction(1))), "not evenly spaced"),
        (lambda one: replace(one, timestamps=tuple(t + Fraction(1, 30) for t in one.timestamps)), "not evenly spaced"),
        (lambda one: replace(one, rate=Fraction(25)), "its rate is 25"),
        (lambda one: replace(one, pixel_format="yuv444p"), "yuv444p"),
        (lambda one: replace(one, colour=(1, 1, 1, 2)), "colour tags"),
        (lambda one: replace(one, index_first=False), "index is not at the front"),
        (lambda one: replace(one, audio_seconds=None), "no sound"),
        (lambda one: replace(one, audio_seconds=one.audio_seconds + Fraction(1, 29)), "its sound takes 1.034 s"),
    ],
)
def test_each_broken_promise_is_named(
    good: tuple[Measured, RenderPlan], spoil: Callable[[Measured], Measured], fault: str
) -> None:
    with pytest.raises(MediaFailure, match=fault) as refused:
        check(spoil(good[0]), good[1])
    assert refused.value.code == "internal"


def test_sound_against_the_plan_is_named(good: tuple[Measured, RenderPlan]) -> None:
    with pytest.raises(MediaFailure, match="sound against the plan"):
        check(good[0], replace(good[1], sample_count=None))


def test_all_faults_are_told_at_once(good: tuple[Measured, RenderPlan]) -> None:
    plan = replace(good[1], size=Size(64, 64), sample_count=1)
    with pytest.raises(MediaFailure, match="planned 64 x 64; its sound"):
        check(good[0], plan)


def test_an_index_at_the_end_is_seen(tmp_path: Path) -> None:
    assert not measure(write_video(tmp_path / "slow.mp4", 5)).index_first
