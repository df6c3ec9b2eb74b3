"""Lanczos resampling over 8 x 8 pixels: what every machine can do. It adds no detail."""

import cv2
import numpy as np

from gpu.plan.geometry import Size
from gpu.upscale.upscaler import RgbBatch, check_larger


class LanczosUpscaler:
    name = "lanczos-1"
    ai = False

    def upscale(self, pictures: RgbBatch, size: Size) -> RgbBatch:
        check_larger(pictures, size)
        larger = np.empty((len(pictures), size.height, size.width, 3), np.uint8)
        for picture, target in zip(pictures, larger, strict=True):
            cv2.resize(picture, size, dst=target, interpolation=cv2.INTER_LANCZOS4)
        return larger
