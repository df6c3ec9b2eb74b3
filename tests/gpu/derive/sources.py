"""Sources whose keyframes, times and samples a test chooses, and readers of what was derived from them."""

import struct
from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.video.frame import PictureType, VideoFrame

from gpu.derive.facts import Storyboard
from gpu.render.picture import planes
from gpu.sample.counter import read_counter
from gpu.sample.scene import Scene
from gpu.sample.writer import add_video, paint

RATE = Fraction(30)
SMALL = (160, 90)
Plane = npt.NDArray[np.uint8]


def write_keyed(
    path: Path,
    frame_count: int,
    keyframes: Collection[int],
    *,
    times: Sequence[Fraction] | None = None,
    rotation: int = 0,
    rate: Fraction = RATE,
    reorder: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """A silent recording of 160 x 90 with keyframes where they are asked for, and nowhere else."""
    scene = Scene(*SMALL, float(rate))
    with av.open(str(path), "w", options=options or {}) as container:
        stream = add_video(container, *SMALL, rate)
        stream.options = {"preset": "ultrafast", "crf": "10", "forced-idr": "1"}
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 100_000, reorder
        stream.codec_context.time_base = Fraction(1, 90_000) if times else 1 / rate
        if rotation:
            stream.set_display_rotation(-rotation)
        for number in range(frame_count):
            picture = paint(scene, number, *SMALL)
            shown = times[number] if times else number / rate
            picture.pts, picture.time_base = round(shown * 90_000), Fraction(1, 90_000)
            picture.pict_type = PictureType.I if number in keyframes else PictureType.NONE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_colour(path: Path, *levels: int, full_range: bool = False) -> Path:
    """One picture of one colour, given as Y, U and V, with the tags of bt709."""
    with av.open(str(path), "w") as container:
        stream = add_video(container, *SMALL, RATE)
        if full_range:
            stream.codec_context.pix_fmt, stream.codec_context.color_range = "yuvj420p", 2
        picture = _plain(SMALL, levels)
        picture.color_range = stream.codec_context.color_range
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _plain(size: tuple[int, int], levels: Sequence[int]) -> VideoFrame:
    picture = VideoFrame(*size, "yuv420p")
    for plane, level in zip(planes(picture), levels, strict=True):
        plane[:] = level
    return picture


def write_sounding(
    path: Path,
    frame_count: int,
    samples: npt.NDArray[np.float64],
    rate: Fraction = RATE,
    *,
    samples_a_second: int = 48_000,
    start: int = 0,
) -> Path:
    """Black pictures and `samples` of shape (channels, n) as 16-bit PCM, both from second `start` of the clock on."""
    with av.open(str(path), "w") as container:
        video = add_video(container, 32, 32, rate)
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[0]]
        audio = container.add_stream("pcm_s16le", rate=samples_a_second, layout=layout)
        assert isinstance(audio, AudioStream)
        for number in range(frame_count):
            picture = _plain((32, 32), (16, 128, 128))
            picture.pts, picture.time_base = number + int(start * rate), 1 / rate
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        levels = np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(levels.T.reshape(1, -1)), "s16", layout)
        frame.sample_rate, frame.pts = samples_a_second, start * samples_a_second
        frame.time_base = Fraction(1, samples_a_second)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def varying_times(count: int) -> list[Fraction]:
    """Times as a telephone writes them; of some pairs of pictures both are due at one frame of 30 a second."""
    steps = [Fraction(milliseconds, 1000) for milliseconds in (33, 17, 50, 33, 70, 12, 33, 41)]
    return [sum((steps[index % 8] for index in range(number)), Fraction(0)) for number in range(count)]


def shown_on_grid(times: Sequence[Fraction], frame: int) -> int:
    """The picture that a frame of the grid of 30 shows: the last that is due, to the nearest, at or before it."""
    return max(number for number, at in enumerate(times) if int(at * 30 + Fraction(1, 2)) <= frame)


def read_sheets(folder: Path, storyboard: Storyboard) -> list[Plane]:
    """Blue, green and red of every sheet, of shape (height, width, 3)."""
    sheets = [cv2.imread(str(folder / name)) for name in storyboard.sheets]
    return [np.asarray(sheet, np.uint8) for sheet in sheets]


def numbers_on(folder: Path, storyboard: Storyboard, turn: int = 0) -> list[int]:
    """The counter in the cell of every entry; `turn` quarter turns (counter-clockwise) undo a rotation."""
    sheets = [
        np.asarray(cv2.cvtColor(sheet, cv2.COLOR_BGR2GRAY), np.uint8) for sheet in read_sheets(folder, storyboard)
    ]
    cells = []
    for entry in storyboard.entries:
        top, left = entry.row * storyboard.cell_height, entry.column * storyboard.cell_width
        cells.append(sheets[entry.sheet][top : top + storyboard.cell_height, left : left + storyboard.cell_width])
    return [read_counter(np.rot90(cell, turn), SMALL) for cell in cells]


class Peaks(NamedTuple):
    """A `.dat` file, read as its format is described."""

    version: int
    flags: int
    sample_rate: int
    samples_per_pixel: int
    length: int
    channels: int
    lowest: list[int]
    highest: list[int]


def read_peaks(path: Path) -> Peaks:
    content = path.read_bytes()
    values = np.frombuffer(content[24:], np.int8)
    header: tuple[int, int, int, int, int, int] = struct.unpack("<iIiiIi", content[:24])
    return Peaks(*header, values[::2].tolist(), values[1::2].tolist())
