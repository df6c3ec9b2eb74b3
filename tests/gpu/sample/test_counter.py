"""The frame counter in the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.plan.geometry import Rect
from gpu.render.picture import Plane
from gpu.sample.counter import CounterError, StripLayout, draw_counter, encode_bits, read_counter
from tests.gpu.plan.specs import repeatable

HD = (1920, 1080)


def picture(number: int, size: tuple[int, int] = HD) -> Plane:
    luma = np.full((size[1], size[0]), 90, np.uint8)
    draw_counter(luma, number)
    return luma


@repeatable
@given(st.integers(0, 2**16 - 1))
def test_what_is_drawn_is_read(number: int) -> None:
    assert read_counter(picture(number, (320, 180)), (320, 180)) == number


@repeatable
@given(st.floats(0, 1920 - 607.5))
def test_every_portrait_crop_of_hd_shows_a_whole_copy(x: float) -> None:
    crop = Rect(x, 0, 607.5, 1080)
    luma = picture(12345)
    columns = np.clip((x + (np.arange(1080) + 0.5) * 607.5 / 1080).astype(int), 0, 1919)
    rows = ((np.arange(1920) + 0.5) * 1080 / 1920).astype(int)
    assert read_counter(luma[rows][:, columns], HD, crop) == 12345


def test_a_crop_without_the_strip_is_told() -> None:
    with pytest.raises(CounterError, match="no whole copy"):
        read_counter(picture(1), HD, Rect(0, 100, 1920, 980))


def test_a_wrong_bit_is_told() -> None:
    luma = picture(5)
    block = StripLayout(*HD).block
    luma[:block, block * 10 : block * 11] = 235
    with pytest.raises(CounterError, match="no frame counter"):
        read_counter(luma, HD)


def test_another_picture_is_told() -> None:
    with pytest.raises(CounterError):
        read_counter(np.full((1080, 1920), 90, np.uint8), HD)


@pytest.mark.parametrize("number", [-1, 2**16])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        encode_bits(number)
