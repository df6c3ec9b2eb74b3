"""What our encoder's settings cost and save on framed pictures, against x264 veryfast as it is."""

import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.frame import VideoFrame

from bench.figure import Figure
from bench.render.framing import spec
from bench.render.match import FRAMES, recording
from gpu.plan import compile_plan
from gpu.render.painter import painted
from gpu.render.picture import planes
from gpu.render.produce import probe_file
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources
from gpu.render.writer import CRF, encoding, repeatable

SHOWN = range(100, 160)
QUALITIES = (CRF - 2, CRF, CRF + 2)
MOST_BYTES, MOST_TIME = 1.05, 0.9


class Encoded(NamedTuple):
    """One encode: its bytes, PSNR of luma in dB, CPU seconds."""

    size: int
    decibels: float
    seconds: float


def figures() -> Iterator[Figure]:
    """Over three qualities: bytes for the same PSNR, CPU seconds of the encoder."""
    pictures = _framed()
    # In turn, so that noise falls on both.
    pairs = [[_encoded(pictures, crf, params) for params in (encoding(), repeatable())] for crf in QUALITIES]
    ours, plain = ([pair[which] for pair in pairs] for which in (0, 1))
    sizes = [statistics.geometric_mean(_sizes_at_one_quality(each, [ours, plain])) for each in (ours, plain)]
    yield Figure("encoder, bytes for one quality", sizes[0], "bytes", sizes[1], limit=MOST_BYTES, at_most=True)
    times = [sum(one.seconds for one in each) for each in (ours, plain)]
    yield Figure("encoder, time", times[0], "s CPU", times[1], limit=MOST_TIME, at_most=True)


def _sizes_at_one_quality(points: Sequence[Encoded], all_points: Sequence[Sequence[Encoded]]) -> list[float]:
    """Bytes on the curve through `points`, at qualities that all curves reach.

    A parabola of log(bytes) over PSNR, as in Bjøntegaard's comparison (VCEG-M33).
    """
    lowest = max(min(one.decibels for one in each) for each in all_points)
    highest = min(max(one.decibels for one in each) for each in all_points)
    curve = np.polyfit([one.decibels for one in points], np.log([one.size for one in points]), 2)
    return [float(each) for each in np.exp(np.polyval(curve, np.linspace(lowest, highest, 9)))]


def _framed() -> list[VideoFrame]:
    with recording() as clip:
        with clip.open("rb") as file:
            plan = compile_plan(spec(FRAMES), probe_file(file))
        with Shelf(LocalSources([clip])) as shelf:
            return list(painted(plan, SHOWN, shelf, deque()))


def _encoded(pictures: Sequence[VideoFrame], crf: int, params: str) -> Encoded:
    """With one thread, as parts are."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "encoded.mp4"
        with av.open(str(path), "w") as container:
            options = {"preset": "veryfast", "crf": str(crf), "profile": "high", "x264-params": params}
            stream = container.add_stream("libx264", rate=Fraction(30), options=options)
            stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
            stream.codec_context.thread_count = 1
            begun = time.process_time()
            packets = []
            for number, picture in enumerate(pictures):
                picture.pts, picture.time_base = number, Fraction(1, 30)
                packets += stream.encode(picture)
            packets += stream.encode(None)
            seconds = time.process_time() - begun
            container.mux(packets)
        with av.open(str(path)) as container:
            errors = [
                np.square(np.subtract(planes(made).y, planes(shown).y, dtype=np.int16), dtype=np.int32).mean()
                for made, shown in zip(container.decode(video=0), pictures, strict=True)
            ]
    size = sum(packet.size for packet in packets)
    return Encoded(size, float(10 * np.log10(255**2 / np.mean(errors))), seconds)


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
