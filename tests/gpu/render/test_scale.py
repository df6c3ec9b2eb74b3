"""Scaling by leads against linear interpolation, worked out sample by sample."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from gpu.render.picture import Plane
from gpu.render.scale import Axis, scaled

SEED = 20261122
COLUMNS, ROWS = 480, 270


def textured() -> Plane:
    noise = np.random.default_rng(SEED).integers(0, 256, (ROWS, COLUMNS)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 1.0), np.uint8)


def interpolated(plane: Plane, across: Axis, down: Axis) -> npt.NDArray[np.float64]:
    """Each sample from its four neighbours; the edge is repeated."""
    values = plane.astype(np.float64)
    for axis, direction in ((down, 0), (across, 1)):
        places = np.clip(axis.first + np.arange(axis.samples) * axis.step, 0, values.shape[direction] - 1)
        before = np.minimum(places.astype(int), values.shape[direction] - 2)
        part = places - before
        part = part[:, None] if direction == 0 else part[None, :]
        values = values.take(before, direction) * (1 - part) + values.take(before + 1, direction) * part
    return values


def axis_of(begin: float, length: float, count: int) -> Axis:
    """`count` samples over the plane's part of `length` from `begin` on."""
    step = length / count
    return Axis(begin + step / 2 - 0.5, step, count)


def test_most_crops_are_scaled_and_follow_the_formula() -> None:
    generator = np.random.default_rng(SEED)
    plane, made = textured(), 0
    for _ in range(100):
        width = generator.uniform(90, 200)
        height = width * 9 / 16
        across = axis_of(generator.uniform(60, COLUMNS - width), width, 400)
        down = axis_of(generator.uniform(60, ROWS - height), height, 300)
        if (result := scaled(plane, across, down)) is None:
            continue
        made += 1
        exact = interpolated(plane, across, down)
        slope = max(np.abs(np.diff(plane.astype(int), axis=direction)).max() for direction in (0, 1))
        assert np.abs(result - exact).max() <= 2 * slope / 64 + 1, (across, down)
        assert 10 * np.log10(255**2 / np.mean((result - exact) ** 2)) > 50
    assert made > 50


@pytest.mark.parametrize(
    ("across", "down"),
    [
        (axis_of(0, COLUMNS, 960), axis_of(0, ROWS, 540)),
        (axis_of(0, COLUMNS, 700), axis_of(0, ROWS, 300)),
        (axis_of(COLUMNS - 151.875, 151.875, 270), axis_of(0, ROWS, 480)),
        (axis_of(100, 150, 110), axis_of(30, 200, 140)),
    ],
)
def test_whole_planes_and_crops_at_an_edge_are_exact(across: Axis, down: Axis) -> None:
    plane = textured()
    result = scaled(plane, across, down)
    assert result is not None
    assert np.abs(result - interpolated(plane, across, down)).max() <= 1


@pytest.mark.parametrize(
    ("across", "down"),
    [
        (axis_of(100.3, 200, 400), axis_of(0, ROWS, 540)),  # a step of 1/2 has two places only
        (axis_of(100.5, 300, 300), axis_of(0, ROWS, 540)),  # and a step of 1 has one
        (axis_of(0.3, 170.7, 300), axis_of(0, ROWS, 540)),  # nothing lies to the left of it
        (axis_of(0, COLUMNS, 960), axis_of(40.3, 100, 200)),
    ],
)
def test_a_place_that_no_lead_comes_near_is_not_scaled(across: Axis, down: Axis) -> None:
    assert scaled(textured(), across, down) is None


@pytest.mark.parametrize("length", [299.6, 300.45])
def test_a_crop_near_its_own_size_is_scaled_as_well_or_not_at_all(length: float) -> None:
    across, down = axis_of(0, length, 300), axis_of(0, length * 0.6, 180)
    result = scaled(textured(), across, down)
    assert result is None or np.abs(result - interpolated(textured(), across, down)).max() <= 2


def test_very_wide_pixels_do_not_cost_more_than_they_show() -> None:
    made: list[int] = []
    resize = cv2.resize

    def counted(*given: object, **named: object) -> object:
        picture = resize(*given, **named)  # type: ignore[call-overload]
        made.append(picture.size)
        return picture

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cv2, "resize", counted)
        assert scaled(textured()[:, :16], axis_of(0, 0.05, 1920), axis_of(0, ROWS, 1080)) is None
    assert not made


def test_beyond_the_plane_is_not_scaled() -> None:
    assert scaled(textured(), axis_of(-20, COLUMNS + 40, 700), axis_of(0, ROWS, 540)) is None
    assert scaled(textured(), axis_of(40, COLUMNS, 700), axis_of(0, ROWS, 540)) is None
