"""Every matrix, range and depth of SDR comes out as bt709 to the nearest code, against the formulas of ITU-T H.273."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame

from gpu.render.picture import normalised, planes
from gpu.render.plane import samples

Colours = npt.NDArray[np.float64]
SEED = 709
COUNT, PATCH = 300, 16
WEIGHTS = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Of red and blue in Y', by number of the matrix."""
UNTAGGED, TV, FULL = 2, 1, 2


def colours() -> Colours:
    """R'G'B' of shape (3, COUNT), from 0.05 to 0.95."""
    return np.random.default_rng(SEED).uniform(0.05, 0.95, (3, COUNT))


def coded(rgb: Colours, matrix: int, bits: int, full: bool) -> Colours:
    red, blue = WEIGHTS[matrix]
    y = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
    cb, cr = (rgb[2] - y) / (2 - 2 * blue), (rgb[0] - y) / (2 - 2 * red)
    scale = 1 << (bits - 8)
    if full:
        return np.stack([255 * y, 128 + 255 * cb, 128 + 255 * cr]) * scale
    return np.stack([16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr]) * scale


def picture(codes: Colours, layout: str, matrix: int, full: bool, height: int = PATCH) -> VideoFrame:
    """A row of squares."""
    frame = VideoFrame(COUNT * PATCH, height, layout)
    for plane, row in zip(frame.planes, np.rint(codes), strict=True):
        repeated = np.repeat(row, plane.width // COUNT)[None]
        if layout.endswith("le"):
            samples(plane, np.uint16)[:] = repeated
        else:
            samples(plane, np.uint8)[:] = repeated
    frame.colorspace = matrix
    if not layout.startswith("yuvj"):  # which says it by its name
        frame.color_range = FULL if full else TV
    return frame


def misses(frame: VideoFrame, rgb: Colours) -> Colours:
    """How far Y, Cb and Cr in the middle of each square are from what bt709 makes of the colours."""
    rows = [plane[plane.shape[0] // 2] for plane in planes(normalised(frame))]
    middles = [row[len(row) // COUNT // 2 :: len(row) // COUNT] for row in rows]
    return np.asarray(np.stack(middles) - coded(rgb, 1, 8, full=False))


@pytest.mark.parametrize(
    ("layout", "matrix", "full"),
    [
        ("yuv420p", 6, False),
        ("yuv420p", 7, False),
        ("yuv420p", 9, False),
        ("yuv420p", 1, True),
        ("yuvj420p", 1, True),
        ("yuvj420p", 6, True),
        ("yuvj422p", 6, True),
        ("yuv444p", 1, False),
        ("yuv420p10le", 1, False),
        ("yuv420p10le", 9, False),
        ("yuv422p10le", 1, False),
        ("yuv444p12le", 6, False),
    ],
)
def test_colours_stay_what_they_are(layout: str, matrix: int, full: bool) -> None:
    """They are rounded two or three times; a shift of all of them shows in the mean."""
    rgb, bits = colours(), int(layout[-4:-2]) if layout.endswith("le") else 8
    error = misses(picture(coded(rgb, matrix, bits, full), layout, matrix, full), rgb)
    assert np.abs(error).max() < 2, f"seed {SEED}"
    assert np.abs(error.mean(axis=1)).max() < 0.3, f"seed {SEED}"


@pytest.mark.parametrize(("height", "matrix"), [(576, 6), (578, 1)])
def test_without_a_tag_sd_counts_as_bt601_and_more_as_bt709(height: int, matrix: int) -> None:
    rgb = colours()
    frame = VideoFrame(1024, height, "yuv420p")
    code = np.rint(coded(rgb, matrix, 8, full=False))[:, 0]
    for plane, value in zip(frame.planes, code, strict=True):
        samples(plane, np.uint8)[:] = int(value)
    frame.colorspace = UNTAGGED
    shown = [plane[7, 7] for plane in planes(normalised(frame))]
    assert np.abs(shown - coded(rgb, 1, 8, full=False)[:, 0]).max() < 2


def test_the_timestamp_stays_with_the_picture() -> None:
    frame = picture(coded(colours(), 6, 8, full=False), "yuv420p", 6, full=False)
    frame.pts, frame.time_base = 5, Fraction(1, 25)
    out = normalised(frame)
    assert (out.pts, out.time_base) == (5, Fraction(1, 25))


@pytest.mark.parametrize("size", [(35, 19), (36, 19), (35, 20)])
def test_odd_sizes_keep_their_last_column_and_row(size: tuple[int, int]) -> None:
    frame = VideoFrame(*size, "yuv420p")
    for plane, code in zip(planes(frame), (90, 100, 150), strict=True):
        plane[:] = code
    frame.colorspace = 6
    out = normalised(frame)
    assert (out.width, out.height) == size
    assert all(len(np.unique(plane)) == 1 for plane in planes(out))
