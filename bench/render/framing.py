"""A keyframed 9:16 crop with sound, against the limit of the machine and against the filter that people use for it."""

import statistics
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from bench.figure import Figure
from bench.render.match import FRAMES, in_turn, recording, render, transcode
from gpu.plan import compile_plan
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize
from gpu.render.painter import painted
from gpu.render.picture import planes
from gpu.render.produce import probe_file
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources
from gpu.sample.writer import add_video

RUNS = 3
LEAST_PART = 0.85
MOST_JUDDER = 0.1
"""Pixels RMS; the gate of the tests, here against the filter's."""
START, END = (420.0, 0.0, 607.5), (900.5, 120.0, 540.0)
"""Left, top and width of the crop on the first and on the last frame."""
_SPOT = (965.3, 560.6)


def spec(frames: int) -> EditSpec:
    """A slow pan with zoom, linear so that the filter can do the same."""
    keys = [
        CropKeyframe(frame=frame, x=x, y=y, width=width, height=width * 16 / 9, easing="linear")
        for frame, (x, y, width) in ((0, START), (frames - 1, END))
    ]
    return EditSpec.of_clip(0, frames, crop_keyframes=tuple(keys), size=OutputSize(width=1080, height=1920))


def figures() -> Iterator[Figure]:
    """Frames a second, medians of runs in turn; judder of both on a picture with one spot."""
    with recording() as clip:
        ours, limit, filtered = (
            FRAMES / statistics.median(each)
            for each in in_turn(
                RUNS,
                lambda: render("framing", clip, spec(FRAMES)),
                lambda: transcode(clip),
                lambda: transcode(clip, zoompan(FRAMES)),
            )
        )
    yield Figure("framing 1080p to 1080x1920", ours, "fps", limit, limit=LEAST_PART, at_most=False)
    yield Figure("framing against zoompan, speed", ours, "fps", filtered, limit=1.0, at_most=False)
    with recording(seconds=0.1) as clip:
        spots = _spots(clip.with_name("spots.mp4"), 60)
        mine, theirs = _judder(_painted(spots, 60), 60), _judder(_filtered(spots, 60), 60)
    yield Figure("framing against zoompan, judder", mine, "px RMS", theirs, limit=MOST_JUDDER, at_most=True)


def zoompan(frames: int) -> str:
    """The crop as an expression for each frame. It knows whole pixels only."""
    part = f"(on/{frames - 1})"
    width = f"({START[2]}+{END[2] - START[2]}*{part})"
    x, y = (f"({START[axis]}+{END[axis] - START[axis]}*{part})" for axis in (0, 1))
    # zoompan keeps the input's shape, so the input is first padded to the output's.
    tall = 1920 * 16 // 9
    return f"pad=1920:{tall},zoompan=z='1920/{width}':x='{x}':y='{y}':d=1:s=1080x1920:fps=30"


def _spots(path: Path, frames: int) -> Path:
    """A still picture with one soft spot."""
    x, y = np.meshgrid(np.arange(1920), np.arange(1080))
    spot = 20 + 190 * np.exp(-((x - _SPOT[0]) ** 2 + (y - _SPOT[1]) ** 2) / (2 * 20.0**2))
    with av.open(str(path), "w") as container:
        stream = add_video(container, 1920, 1080, Fraction(30))
        for number in range(frames):
            picture = av.VideoFrame(1920, 1080, "yuv420p")
            for plane, values in zip(planes(picture), (spot, 128, 128), strict=True):
                np.copyto(plane, np.asarray(values, np.uint8))
            picture.pts, picture.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _painted(clip: Path, frames: int) -> Iterator[VideoFrame]:
    """What our encoder gets: an encoder's own errors would hide a hundredth of a pixel."""
    with clip.open("rb") as file:
        plan = compile_plan(spec(frames), probe_file(file))
    with Shelf(LocalSources([clip])) as shelf:
        yield from painted(plan, range(frames), shelf, deque())


def _filtered(clip: Path, frames: int) -> Iterator[VideoFrame]:
    """What the filter gives, without loss."""
    with av.open(str(transcode(clip, zoompan(frames), crf=0))) as container:
        yield from container.decode(video=0)


def _judder(pictures: Iterator[VideoFrame], frames: int) -> float:
    """RMS over the frames of how far the spot is from where the linear track puts it, without a constant offset."""
    misses: list[npt.NDArray[np.float64]] = []
    for number, frame in enumerate(pictures):
        luma = np.clip(planes(frame).y.astype(np.float64) - 40, 0, None)
        rows, columns = np.arange(luma.shape[0]), np.arange(luma.shape[1])
        centre = np.array([luma.sum(0) @ columns, luma.sum(1) @ rows]) / luma.sum()
        misses.append(centre - _place(number / (frames - 1)))
    moved = np.array(misses)
    return float(np.sqrt(((moved - moved.mean(0)) ** 2).sum(1).mean()))


def _place(part: float) -> npt.NDArray[np.float64]:
    x, y, width = (start + (end - start) * part for start, end in zip(START, END, strict=True))
    return np.array([(_SPOT[0] + 0.5 - x), (_SPOT[1] + 0.5 - y)]) * 1080 / width - 0.5


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
