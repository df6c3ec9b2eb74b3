"""The warp in torch against the one in OpenCV: turned, mirrored, wide pixels, odd sizes, large reductions."""

from fractions import Fraction
from itertools import product

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from gpu.plan.geometry import Rect, Size
from gpu.render.engines.torch_warp import TorchWarp
from gpu.render.picture import planes
from gpu.render.warp import Warp
from tests.gpu.render.engines.agreement import LEAST_PSNR, rows, worst_psnr

torch = pytest.importorskip("torch", reason="torch is only on images for GPUs")
OUTPUT = Size(64, 36)
SIZES = {"even": Size(322, 182), "odd": Size(321, 181)}


def picture(size: Size) -> VideoFrame:
    """Blotches as large as a few samples, in every plane."""
    dice = np.random.default_rng(20261122)
    frame = VideoFrame(*size, "yuv420p")
    for plane in planes(frame):
        height, width = plane.shape
        small = dice.integers(0, 256, (height // 4 + 1, width // 4 + 1), np.uint8)
        plane[:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return frame


@pytest.mark.parametrize(
    ("kind", "rotation", "mirrored", "shape"),
    [*product(SIZES, (0, 90, 180, 270), (False, True), (Fraction(1), Fraction(4, 3)))],
)
def test_both_warps_draw_the_same(kind: str, rotation: int, mirrored: bool, shape: Fraction) -> None:
    stored = SIZES[kind]
    source = picture(stored)
    width, height = round(stored.width * shape), stored.height
    shown = Size(height, width) if rotation % 180 else Size(width, height)
    largest = min(shown.width / OUTPUT.width, shown.height / OUTPUT.height)
    for scale in (0.5, 1.0, 1.4, largest):
        side = (OUTPUT.width * scale, OUTPUT.height * scale)
        for left, top in ((0.0, 0.0), (shown.width - side[0], shown.height - side[1]), (3.3, 5.7)):
            crop = Rect(min(left, shown.width - side[0]), min(top, shown.height - side[1]), *side)
            expected = VideoFrame(*OUTPUT, "yuv420p")
            Warp(stored, rotation, shape, OUTPUT, mirrored=mirrored).draw(source, crop, expected)
            given = [torch.from_numpy(plane)[None] for plane in planes(source)]
            drawn = TorchWarp(stored, rotation, shape, OUTPUT, mirrored=mirrored).draw(given, [crop])
            made = np.concatenate([plane.numpy().astype(np.uint8).ravel() for plane in drawn])
            assert worst_psnr([made], rows([expected])) >= LEAST_PSNR, (crop, scale)


def test_pictures_of_one_batch_have_crops_of_their_own() -> None:
    stored = SIZES["even"]
    source = picture(stored)
    crops = [Rect(0, 0, 128, 72), Rect(20.5, 30.25, 300, 168.75), Rect(7, 9, 64, 36)]
    given = [torch.from_numpy(plane).expand(3, *plane.shape) for plane in planes(source)]
    warp = TorchWarp(stored, 0, Fraction(1), OUTPUT)
    together = warp.draw(given, crops)
    for index, crop in enumerate(crops):
        alone = warp.draw([plane[:1] for plane in given], [crop])
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(many[index].numpy(), one[0].numpy())
