"""Decodes exactly the pictures and the sound of a range: from the keyframe before it, first and last frame exact.

Interlaced pictures come out deinterlaced.

Pictures go onto the grid as `fps=round=near` puts them: the last one due at or before a frame is that frame, so a gap
repeats a picture and of two pictures in one place the later one stays.
"""

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import floor

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from gpu.plan.duration import SAMPLE_RATE
from gpu.render.deinterlace import Deinterlacer
from gpu.render.errors import MediaFailure
from gpu.render.media import Media, shown_at

log = logging.getLogger(__name__)
Samples = npt.NDArray[np.float32]
"""Stereo sound of shape (2, n) at 48 kHz."""
_STEPS_BACK = (Fraction(1, 4), Fraction(2), Fraction(10), Fraction(60))
"""Seconds before the range at which to look for its keyframe; the first lets the sound's decoder settle."""
_OVERRUN = Fraction(1)
"""Seconds beyond the range up to which its last sound is waited for."""
_LARGEST_HOLD = 2


@dataclass(frozen=True)
class Picture:
    """Frame `number` of the source's grid."""

    number: int
    frame: VideoFrame


@dataclass(frozen=True)
class Sound:
    """Samples that start `position` samples after frame 0."""

    position: int
    samples: Samples


@dataclass(frozen=True)
class Range:
    """Frames [first, end) of the grid of `rate` frames a second."""

    first: int
    end: int
    rate: Fraction


def read_range(media: Media, wanted: Range, *, with_sound: bool) -> Generator[Picture | Sound]:
    """Every frame of the range once and in order, and the sound beside them, which may begin before and end after.

    Raises MediaFailure `unsupported_media` when the file's pictures end before the range.
    """
    grid = _Grid(media, wanted)
    sounds = Resampler(media.zero)
    for frame in _decoded_from_keyframe(media, wanted, grid, with_sound):
        if isinstance(frame, VideoFrame):
            yield from grid.place(frame)
        else:
            yield from sounds.convert(frame)
    yield from sounds.convert(None)
    yield from grid.finish()


class _Grid:
    """Hands out one picture per frame of the range."""

    def __init__(self, media: Media, wanted: Range) -> None:
        self._zero, self._wanted = media.zero, wanted
        self._size = (media.first.width, media.first.height)
        self._next = wanted.first
        self._held: VideoFrame | None = None

    @property
    def done(self) -> bool:
        return self._next >= self._wanted.end

    def number(self, frame: VideoFrame) -> int:
        """The frame of the grid at which the picture is due, to the nearest."""
        return floor((shown_at(frame) - self._zero) * self._wanted.rate + Fraction(1, 2))

    def place(self, frame: VideoFrame) -> Iterator[Picture]:
        """The frames that are settled now that `frame` has come."""
        if (frame.width, frame.height) != self._size:
            raise MediaFailure("unsupported_media", f"the picture's size changes to {frame.width} x {frame.height}")
        due = self.number(frame)
        yield from self._hold_until(due)
        self._held = frame

    def finish(self) -> Iterator[Picture]:
        """The frames that only the end of the file settles; a video that ends too early is an error."""
        missing = self._wanted.end - self._next
        yield from self._hold_until(self._next + min(missing, _LARGEST_HOLD))
        if not self.done:
            raise MediaFailure(
                "unsupported_media",
                f"the pictures end at frame {self._next}, the clip at {self._wanted.end}; re-upload",
            )

    def _hold_until(self, number: int) -> Iterator[Picture]:
        while self._held is not None and self._next < min(number, self._wanted.end):
            yield Picture(self._next, self._held)
            self._next += 1


class Resampler:
    """Decoded sound -> 48 kHz stereo; one channel is copied to both sides at full level.

    More than two are mixed with the coefficients of ITU-R BS.775, made smaller alike so that no sum goes above full
    level.
    """

    def __init__(self, zero: Fraction) -> None:
        self._zero = zero
        self._kind: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def convert(self, frame: AudioFrame | None) -> Iterator[Sound]:
        """None hands out what is left inside."""
        if frame is not None and frame.pts is None:
            return
        kind = self._kind if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame is not None and (self._resampler is None or kind != self._kind):
            self._kind, self._resampler = kind, _resampler(frame.layout.nb_channels)
        for part in self._resampler.resample(frame) if self._resampler else ():
            if part.pts is None or part.time_base is None or not part.samples:
                continue
            position = floor((part.pts * part.time_base - self._zero) * SAMPLE_RATE + Fraction(1, 2))
            yield Sound(position, np.broadcast_to(part.to_ndarray(), (2, part.samples)))


def _resampler(channels: int) -> av.AudioResampler:
    if channels > 2:
        return av.AudioResampler("fltp", "stereo", SAMPLE_RATE, options={"rematrix_maxval": "1"})
    return av.AudioResampler("fltp", "mono" if channels == 1 else "stereo", SAMPLE_RATE)


def _decoded_from_keyframe(
    media: Media, wanted: Range, grid: _Grid, with_sound: bool
) -> Iterator[VideoFrame | AudioFrame]:
    """Decoded frames from one at or before the range on; looks further back when a seek lands inside the range."""
    start = wanted.first / wanted.rate
    for back in (*_STEPS_BACK, start + 1):
        frames = _decoded(media, start - back, wanted, grid, with_sound)
        skipped: list[VideoFrame | AudioFrame] = []
        for frame in frames:
            skipped.append(frame)
            if isinstance(frame, VideoFrame):
                if grid.number(frame) <= wanted.first:
                    return chain(skipped, frames)
                break
    raise MediaFailure(
        "unsupported_media", f"no picture can be decoded at frame {wanted.first}; the file may be damaged"
    )


def _decoded(
    media: Media, start: Fraction, wanted: Range, grid: _Grid, with_sound: bool
) -> Iterator[VideoFrame | AudioFrame]:
    """Decodes from the keyframe before `start` until the range is settled or a little later, or to the file's end."""
    media.seek(start)
    sound = media.audio if with_sound else None
    end = media.zero + wanted.end / wanted.rate
    heard = end if sound is None else media.zero
    fields = Deinterlacer()
    for packet in media.container.demux([media.video, *([sound] if sound else [])]):
        at = packet.pts * packet.time_base if packet.pts is not None else None
        if packet.stream_index == media.video.index:
            if grid.done and (heard >= end or (at is not None and at > end + _OVERRUN)):
                return
            if grid.done and packet.size:
                continue
        elif at is not None:
            heard = max(heard, at + (packet.duration or 0) * packet.time_base)
        for frame in _frames(packet):
            if isinstance(frame, VideoFrame):
                yield from fields.convert(frame)
            else:
                yield frame
    yield from fields.finish()


def _frames(packet: "Packet[Stream]") -> Iterator[VideoFrame | AudioFrame]:
    """A packet that cannot be decoded is lost; the grid repeats the picture before it."""
    try:
        frames = packet.decode()
    except av.InvalidDataError:
        log.debug("a packet of stream %d at %s cannot be decoded", packet.stream_index, packet.pts)
        return
    for frame in frames:
        if isinstance(frame, VideoFrame | AudioFrame) and frame.pts is not None and not frame.is_corrupt:
            yield frame
