"""Finds things by their colour: the detector of tests and of made-up recordings, where a shirt is one colour.

Only the chroma counts, so shade does not matter. Two things of one colour that touch are one box.
"""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from gpu.track.detections import Box, Detection, RgbBatch


class Chroma(NamedTuple):
    """Cb and Cr of ITU-T T.871 (JPEG), 0 to 255 with grey at 128."""

    cb: float
    cr: float


class ColourBlobDetector:
    """`colours` has a label for each colour. The score is the part of the box that has the colour.

    `tolerance` is the distance in levels up to which chroma counts as the colour, `smallest` the fewest pixels of it.
    """

    name = "colour-blob-1"
    batch_size = 8

    def __init__(self, colours: Mapping[str, Chroma], *, tolerance: float = 30, smallest: int = 12) -> None:
        self._colours, self._tolerance, self._smallest = dict(colours), tolerance, smallest

    def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
        return [self._found(picture) for picture in pictures]

    def _found(self, picture: RgbBatch) -> list[Detection]:
        chroma = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., :0:-1].astype(np.float32)
        return [
            detection
            for label, colour in self._colours.items()
            for detection in self._blobs(np.hypot(chroma[..., 0] - colour.cb, chroma[..., 1] - colour.cr), label)
        ]

    def _blobs(self, distance: npt.NDArray[np.float32], label: str) -> list[Detection]:
        _, _, blobs, _ = cv2.connectedComponentsWithStats((distance <= self._tolerance).astype(np.uint8))
        return [
            Detection(Box(float(x), float(y), float(width), float(height)), float(area / (width * height)), label)
            for x, y, width, height, area in blobs[1:]
            if area >= self._smallest
        ]
