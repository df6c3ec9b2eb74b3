"""The plots say what their axes are, and are the same for the same points."""

import pytest

from bench.library.plots import draw_sizes, draw_users
from bench.library.sweep import SizePoint, UsersPoint

SIZES = [
    SizePoint(200_000, 30_000.0, 0.034, 0.031, 31_000.0, 0.07, 0.065),
    SizePoint(5_000_000, 6e4, 0.05, 0.04, 1e6, 0.1, 0.08),
]
USERS = [UsersPoint(1, 28.0, 220.0, 1.0), UsersPoint(64, 600.0, 900.0, 60.0)]
LARGEST = 150_000


def test_the_same_points_give_the_same_bytes() -> None:
    assert draw_sizes(SIZES) == draw_sizes(SIZES)
    assert draw_users(USERS) == draw_users(USERS)
    assert draw_users([*USERS[:1], UsersPoint(64, 600.0, 901.0, 60.0)]) != draw_users(USERS)


@pytest.mark.parametrize("svg", [draw_sizes(SIZES), draw_users(USERS)])
def test_a_plot_is_small_and_undated(svg: bytes) -> None:
    assert len(svg) < LARGEST
    assert b"<dc:date>" not in svg


def test_axes_have_their_units() -> None:
    assert b"size of the library, KB" in draw_sizes(SIZES)
    assert b"writes/s" in draw_users(USERS)
