"""Writes the waveform of a file's sound: the lowest and the highest sample of every hundredth of a second, as int8.

The format is version 2 of BBC audiowaveform's `.dat` (its doc/DataFormat.md), for which JavaScript readers exist: a
header of six little-endian 32-bit numbers, then min and max of each bucket, here of both channels together. Buckets
are taken from 48 kHz, not from a lower rate, which would have filtered whistles out.
"""

import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpu.derive.facts import PeaksFacts
from gpu.derive.publish import published
from gpu.plan.duration import SAMPLE_RATE, nearest
from gpu.plan.render_plan import SoundRange
from gpu.render.hearing import heard
from gpu.render.media import open_media
from gpu.render.metered import SeekableFile
from gpu.render.output import file_sha256
from gpu.render.overlap import overlapped
from gpu.render.reader import Samples
from gpu.render.timing import find_grid

BUCKETS_A_SECOND = 100
BUCKET = SAMPLE_RATE // BUCKETS_A_SECOND
_VERSION, _EIGHT_BITS, _CHANNELS = 2, 1, 1
_FULL_SCALE = 127
_SOUNDS_AHEAD = 64


@dataclass(frozen=True)
class _Length:
    """How long the pictures last: the sound is cut or filled to the same."""

    rate: Fraction
    frame_count: int
    has_sound: bool

    @property
    def samples(self) -> int:
        return nearest(self.frame_count * self.rate.denominator * SAMPLE_RATE, self.rate.numerator)

    @property
    def buckets(self) -> int:
        """As many as the samples need; the last one may be shorter than the others."""
        return -(-self.samples // BUCKET)

    def frames_at(self, sample: int) -> int:
        return min(self.frame_count, nearest(sample * self.rate.numerator, self.rate.denominator * SAMPLE_RATE))


class Buckets:
    """Turns samples that come in pieces of any length into int8 pairs of shape (n, 2): minimum, maximum."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros((2, 0), np.float32)

    def add(self, samples: Samples) -> npt.NDArray[np.int8]:
        """Pairs of the buckets that are complete; `samples` have the shape (2, n)."""
        joined = np.concatenate((self._rest, samples), axis=1)
        whole = joined.shape[1] // BUCKET * BUCKET
        self._rest = joined[:, whole:].copy()
        return _pairs(joined[:, :whole].reshape(2, -1, BUCKET))

    def finish(self) -> npt.NDArray[np.int8]:
        """The pair of the last, shorter bucket, if there is one."""
        rest, self._rest = self._rest, self._rest[:, :0]
        return _pairs(rest.reshape(2, -1, rest.shape[1]) if rest.shape[1] else rest.reshape(2, 0, 1))


def write_peaks(
    file: SeekableFile,
    path: Path,
    on_frame: Callable[[int], None] = lambda done: None,
    stop_reading: Callable[[], None] = lambda: None,
) -> PeaksFacts:
    """Writes the peaks of the whole sound to `path`: silence where there is none, as long as the pictures.

    `on_frame` gets the number of the source's frames whose sound is done, at the end all of them. An exception, the
    caller's own included, leaves nothing at `path`; `stop_reading` is called then. Raises MediaFailure.
    """
    with published(path) as part:
        with overlapped(_heard(file), _SOUNDS_AHEAD, stop_reading) as items, part.open("wb") as target:
            length = next(items)
            if not isinstance(length, _Length):
                raise TypeError(f"the first thing read is a {type(length).__name__}, not the length")
            target.write(_header(length))
            buckets, done = Buckets(), 0
            for samples in items:
                if isinstance(samples, _Length):
                    raise TypeError("the length comes first and once")
                target.write(buckets.add(samples).tobytes())
                done += samples.shape[1]
                on_frame(length.frames_at(done))
            target.write(buckets.finish().tobytes())
        return PeaksFacts(
            sample_rate=SAMPLE_RATE,
            samples_per_bucket=BUCKET,
            bucket_count=length.buckets,
            has_sound=length.has_sound,
            size_bytes=part.stat().st_size,
            sha256=file_sha256(part),
        )


def _heard(file: SeekableFile) -> Generator[_Length | Samples]:
    with open_media(file) as media:
        grid = find_grid(media)
        length = _Length(grid.rate, grid.frame_count, media.audio is not None)
        yield length
        yield from heard(media, SoundRange(0, length.samples))


def _header(length: _Length) -> bytes:
    return struct.pack("<iIiiIi", _VERSION, _EIGHT_BITS, SAMPLE_RATE, BUCKET, length.buckets, _CHANNELS)


def _pairs(samples: Samples) -> npt.NDArray[np.int8]:
    """Minimum and maximum over channels and the samples of a bucket, of shape (2, n, length), to the nearest level."""
    lowest, highest = samples.min(axis=(0, 2)), samples.max(axis=(0, 2))
    levels = np.rint(np.clip(np.stack((lowest, highest), axis=1), -1, 1) * _FULL_SCALE)
    return np.asarray(levels, np.int8)
