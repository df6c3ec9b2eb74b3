"""A caption as numbers draws what the caption's painter draws."""

import cv2
import numpy as np
from av.video.frame import VideoFrame

from gpu.plan.geometry import Size
from gpu.plan.spec import Caption
from gpu.render.caption import CaptionPainter
from gpu.render.engines.plate import plate
from gpu.render.picture import planes

SIZE = Size(320, 180)
CAPTION = Caption(rating=3, tags=("goal", "left foot"), notes="From the half-way line.")


def test_a_plate_changes_a_picture_as_the_painter_does() -> None:
    dice = np.random.default_rng(11)
    painted, computed = VideoFrame(*SIZE, "yuv420p"), VideoFrame(*SIZE, "yuv420p")
    for one, other in zip(planes(painted), planes(computed), strict=True):
        one[:] = other[:] = dice.integers(16, 236, one.shape, np.uint8)
    CaptionPainter(SIZE, CAPTION).draw(planes(painted))
    drawn = plate(SIZE, CAPTION)
    assert drawn is not None
    for plane, part in zip(planes(computed), drawn.planes, strict=True):
        height, width = part.kept.shape
        place = plane[part.top : part.top + height, part.left : part.left + width]
        cv2.multiply(place, part.kept, dst=place, scale=1 / 255)
        place += part.added
    for one, other in zip(planes(painted), planes(computed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_empty_caption_has_no_plate() -> None:
    assert plate(SIZE, Caption()) is None
