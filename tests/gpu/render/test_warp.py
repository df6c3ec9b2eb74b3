"""The warp against its formula, worked out pixel by pixel."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from av.video.frame import VideoFrame

from gpu.plan.geometry import Rect, Size
from gpu.render.picture import Plane, planes
from gpu.render.warp import Warp

STORED = Size(64, 48)


def picture(size: Size, seed: int = 1) -> VideoFrame:
    frame = VideoFrame(size.width, size.height, "yuv420p")
    generator = np.random.default_rng(seed)
    for plane in planes(frame):
        coarse = generator.integers(20, 230, (plane.shape[0] // 8 + 1, plane.shape[1] // 8 + 1))
        plane[:] = np.kron(coarse, np.ones((8, 8)))[: plane.shape[0], : plane.shape[1]]
    return frame


def sampled(plane: Plane, x: float, y: float) -> float:
    """Linear interpolation at (x, y), the edge repeated beyond it."""
    left, top = int(np.floor(x)), int(np.floor(y))
    value = 0.0
    for column, row in product((left, left + 1), (top, top + 1)):
        weight = (1 - abs(x - column)) * (1 - abs(y - row))
        value += weight * plane[np.clip(row, 0, plane.shape[0] - 1), np.clip(column, 0, plane.shape[1] - 1)]
    return value


def drawn(warp: Warp, frame: VideoFrame, crop: Rect, size: Size) -> VideoFrame:
    target = VideoFrame(size.width, size.height, "yuv420p")
    warp.draw(frame, crop, target)
    return target


@pytest.mark.parametrize("crop", [Rect(3.37, 2.61, 30, 20), Rect(0, 0, 64, 48), Rect(20.5, 11.25, 43.5, 29)])
def test_each_plane_follows_the_formula(crop: Rect) -> None:
    frame, size = picture(STORED), Size(60, 40)
    result = drawn(Warp(STORED, 0, Fraction(1), size), frame, crop, size)
    for step, source, target in zip((1, 2, 2), planes(frame), planes(result), strict=True):
        for row, column in product(range(0, target.shape[0], 7), range(0, target.shape[1], 7)):
            x = crop.x / step + (column + 0.5) * crop.width / size.width - 0.5
            y = crop.y / step + (row + 0.5) * crop.height / size.height - 0.5
            assert target[row, column] == pytest.approx(sampled(source, x, y), abs=4)


@pytest.mark.parametrize(("rotation", "quarters"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_rotation_turns_clockwise_without_changing_a_sample(rotation: int, quarters: int) -> None:
    frame = picture(STORED)
    size = STORED if rotation in (0, 180) else Size(STORED.height, STORED.width)
    result = drawn(Warp(STORED, rotation, Fraction(1), size), frame, Rect(0, 0, *size), size)
    for source, target in zip(planes(frame), planes(result), strict=True):
        np.testing.assert_array_equal(target, np.rot90(source, quarters))


@pytest.mark.parametrize(("rotation", "quarters"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_a_mirrored_picture_is_mirrored_and_then_turned(rotation: int, quarters: int) -> None:
    frame = picture(STORED)
    size = STORED if rotation in (0, 180) else Size(STORED.height, STORED.width)
    result = drawn(Warp(STORED, rotation, Fraction(1), size, mirrored=True), frame, Rect(0, 0, *size), size)
    for source, target in zip(planes(frame), planes(result), strict=True):
        np.testing.assert_array_equal(target, np.rot90(source[:, ::-1], quarters))


def test_a_shift_by_whole_pixels_copies() -> None:
    frame, size = picture(STORED), Size(32, 24)
    result = drawn(Warp(STORED, 0, Fraction(1), size), frame, Rect(8, 6, 32, 24), size)
    np.testing.assert_array_equal(planes(result).y, planes(frame).y[6:30, 8:40])
    np.testing.assert_array_equal(planes(result).u, planes(frame).u[3:15, 4:20])


def test_wide_pixels_are_stretched() -> None:
    frame, size = picture(STORED), Size(128, 48)
    result = drawn(Warp(STORED, 0, Fraction(2), size), frame, Rect(0, 0, 128, 48), size)
    for column in range(4, 120, 9):
        expected = sampled(planes(frame).y, (column + 0.5) / 2 - 0.5, 20)
        assert planes(result).y[20, column] == pytest.approx(expected, abs=4)


@pytest.mark.parametrize("size", [Size(16, 12), Size(20, 14)])
def test_a_large_reduction_keeps_place_and_mean(size: Size) -> None:
    frame = picture(STORED)
    x = np.arange(STORED.width)
    planes(frame).y[:] = (20 + 3 * x)[None, :]
    result = drawn(Warp(STORED, 0, Fraction(1), size), frame, Rect(0, 0, *STORED), size)
    centres = (np.arange(size.width) + 0.5) * STORED.width / size.width - 0.5
    np.testing.assert_allclose(planes(result).y[5, 1:-1], 20 + 3 * centres[1:-1], atol=1.5)
