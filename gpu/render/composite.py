"""Lays one picture over another, or over black, with an opacity: what dissolves and fades are made of."""

import cv2
import numpy as np

from gpu.render.picture import Planes

BLACK_Y, GREY_UV = 16, 128


def blend(over: Planes, under: Planes, opacity: float, target: Planes) -> None:
    """`target = over * opacity + under * (1 - opacity)`, to the nearest; `target` may be either of them."""
    for upper, lower, drawn in zip(over, under, target, strict=True):
        cv2.addWeighted(upper, opacity, lower, 1 - opacity, 0, dst=drawn)


def darken(picture: Planes, opacity: float) -> None:
    """Lays the picture over black, in place."""
    for plane, black in zip(picture, (BLACK_Y, GREY_UV, GREY_UV), strict=True):
        table = np.rint(black + (np.arange(256) - black) * opacity).astype(np.uint8)
        cv2.LUT(plane, table, dst=plane)
