"""Finding the constant rate behind timestamps."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.render.timing import STANDARD_RATES, constant_rate
from tests.gpu.plan.specs import repeatable


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


def test_a_lost_picture_makes_the_rate_variable() -> None:
    times = np.delete(np.arange(300) / 30, 150)
    assert constant_rate(times, (Fraction(30),)) is None


def test_one_picture_has_the_rate_of_the_hint() -> None:
    assert constant_rate(np.zeros(1), (Fraction(25),)) == 25
    assert constant_rate(np.zeros(1)) is None
