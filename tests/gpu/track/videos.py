"""Recordings of shirts on grass, whose places are known for every frame."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from gpu.sample.writer import add_video
from gpu.track.colour_blob import Chroma, ColourBlobDetector
from gpu.track.detections import Box

RATE = Fraction(30)
SIZE = (320, 180)
GRASS = (70, 120, 60)
SHIRTS = {"red": (220, 30, 40), "blue": (30, 60, 230)}
Shirts = Callable[[int], Mapping[str, Box]]
"""The shirts of a frame by colour, in display pixels; one that is not there is hidden."""


def write_shirts(
    path: Path,
    frame_count: int,
    shirts: Shirts,
    *,
    size: tuple[int, int] = SIZE,
    rotation: int = 0,
    pixel_shape: Fraction = Fraction(1),
) -> Path:
    """`size` is the displayed one; the stored pictures are turned back by `rotation` and narrowed by `pixel_shape`."""
    width, height = (size[1], size[0]) if rotation % 180 else size
    stored = round(width / pixel_shape), height
    with av.open(str(path), "w") as container:
        stream = add_video(container, *stored, RATE)
        stream.options = {"preset": "ultrafast", "crf": "10"}
        stream.codec_context.sample_aspect_ratio = pixel_shape
        if rotation:
            stream.set_display_rotation(-rotation)
        for number in range(frame_count):
            turned = np.ascontiguousarray(np.rot90(draw(size, shirts(number)), rotation // 90))
            narrow = np.asarray(cv2.resize(turned, stored, interpolation=cv2.INTER_AREA), np.uint8)
            picture = VideoFrame.from_ndarray(narrow, "rgb24")
            picture = picture.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            picture.pts, picture.time_base = number, 1 / RATE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def draw(size: tuple[int, int], shirts: Mapping[str, Box]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.full((size[1], size[0], 3), GRASS, np.uint8)
    for colour, box in shirts.items():
        left, top = round(box.x), round(box.y)
        picture[top : top + round(box.height), left : left + round(box.width)] = SHIRTS[colour]
    return picture


def shirt_detector(**changes: float) -> ColourBlobDetector:
    colours = {name: _chroma(rgb) for name, rgb in SHIRTS.items()}
    return ColourBlobDetector(
        colours, tolerance=changes.get("tolerance", 40), smallest=int(changes.get("smallest", 40))
    )


def _chroma(rgb: tuple[int, int, int]) -> Chroma:
    """By the formula of ITU-T T.871, so that a mistake in the detector shows."""
    red, green, blue = rgb
    return Chroma(
        cb=128 - 0.168736 * red - 0.331264 * green + 0.5 * blue, cr=128 + 0.5 * red - 0.418688 * green - 0.081312 * blue
    )
