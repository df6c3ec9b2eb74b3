"""Finding the constant rate behind timestamps."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.render import timing
from gpu.render.media import open_media
from gpu.render.reader import Picture, Range, read_range
from gpu.render.timing import STANDARD_RATES, Grid, constant_rate, find_grid
from tests.gpu.plan.specs import repeatable
from tests.gpu.render.videos import reordered, write_video


@repeatable
@given(st.sampled_from(STANDARD_RATES), st.integers(2, 20_000), st.sampled_from((600, 1000, 90_000)))
def test_rounding_to_the_containers_ticks_does_not_hide_the_rate(rate: Fraction, count: int, ticks: int) -> None:
    times = np.floor(np.arange(count) / float(rate) * ticks + 0.5) / ticks
    assert constant_rate(times, (rate,)) == rate


@pytest.mark.parametrize("rate", STANDARD_RATES)
def test_a_standard_rate_is_found_without_a_hint(rate: Fraction) -> None:
    assert constant_rate(np.arange(300) / float(rate)) == rate


def test_a_rate_of_its_own_is_found() -> None:
    assert constant_rate(np.arange(300) / 17) == 17


@pytest.mark.parametrize("rate", STANDARD_RATES)
def test_a_picture_lost_here_and_there_leaves_the_rate_constant(rate: Fraction) -> None:
    times = np.rint(np.delete(np.arange(400) / float(rate), [1, 150, 398]) * 1000) / 1000
    average = Fraction((times.size - 1) / times[-1]).limit_denominator(1001)
    assert constant_rate(times, (average,)) == rate


@pytest.mark.parametrize("lost", [[50, 51], [50, 52], [10, 90, 150, 200]], ids=["a-longer-gap", "adjacent", "too-many"])
def test_more_lost_pictures_make_the_rate_variable(lost: list[int]) -> None:
    assert constant_rate(np.delete(np.arange(300) / 30, lost), (Fraction(30),)) is None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [100, 1000, 5000])
def test_a_phone_that_slows_down_and_speeds_up_has_no_constant_rate(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    rates = np.repeat(chance.uniform(24, 30, count // 20), 20)
    assert constant_rate(np.cumsum(1 / rates), (Fraction(30),)) is None


def test_one_picture_has_the_rate_of_the_hint() -> None:
    assert constant_rate(np.zeros(1), (Fraction(25),)) == 25
    assert constant_rate(np.zeros(1)) is None


def grid_of(path: Path, steps: list[int]) -> Grid:
    """Of a video without an index of its pictures, shown at multiples of 1/90 s; a step of 3 is a thirtieth."""
    times = [Fraction(sum(steps[:number]), 90) for number in range(len(steps))]
    video = write_video(path, len(times), size=(64, 48), times=times, tags=reordered)
    with video.open("rb") as file, open_media(file) as media:
        return find_grid(media)


@pytest.mark.parametrize("rate", [25, 50, 60])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_gap_of_one_frame_in_the_index_is_counted_as_a_frame(tmp_path: Path, name: str, rate: int) -> None:
    times = [Fraction(number, rate) for number in range(121) if number != 70]
    video = write_video(tmp_path / name, 120, size=(64, 48), rate=Fraction(rate), times=times, tags=reordered)
    with video.open("rb") as file, open_media(file) as media:
        assert find_grid(media) == Grid(Fraction(rate), 121, False)
        wanted = Range(68, 74, Fraction(rate))
        shown = [item for item in read_range(media, wanted, with_sound=False) if isinstance(item, Picture)]
    assert [one.number for one in shown] == [*range(68, 74)]
    assert shown[1].frame is shown[2].frame


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_a_rate_that_varies_later_is_noticed_without_an_index(tmp_path: Path, name: str) -> None:
    constant, varying = [3] * 300, [2, 3, 5, 3, 4, 3] * 100
    late = grid_of(tmp_path / name, constant + varying)
    assert (late.variable, late.rate) == (True, Fraction(30))
    assert grid_of(tmp_path / name, [3] * 900) == Grid(Fraction(30), 900, False)


def test_a_picture_lost_in_one_place_leaves_the_rate_constant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SAMPLE_PACKETS", 60)
    steps = [3] * 400
    steps[208] = 6  # a little after the middle
    assert grid_of(tmp_path / "a.mkv", steps) == Grid(Fraction(30), 401, False)
