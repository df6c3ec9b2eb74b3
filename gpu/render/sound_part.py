"""Writes a result's sound as a file of its own, to be joined with its pictures.

It is encoded once over the whole length: joined pieces of AAC would have a gap at each seam.
"""

from collections.abc import Generator, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from gpu.plan.duration import SAMPLE_RATE
from gpu.render.join import TIMESCALE
from gpu.render.reader import Samples

AUDIO_BITS_PER_SECOND = 160_000


def written_sound(sound: Iterable[Samples], path: Path) -> Generator[int]:
    """Encodes contiguous stereo samples at 48 kHz as AAC, and yields how many of them it has taken so far.

    The file at `path` is whole when the generator ends by itself.
    """
    # A coarse edit list would cut the last samples off when the file is read.
    options = {"fflags": "+bitexact", "movie_timescale": str(TIMESCALE)}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE)
        stream.layout = "stereo"
        stream.bit_rate = AUDIO_BITS_PER_SECOND
        written = 0
        for samples in sound:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, written, Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(frame))
            written += samples.shape[1]
            yield written
        container.mux(stream.encode(None))
