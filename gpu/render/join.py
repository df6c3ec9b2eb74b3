"""Joins parts without loss and lays the sound beside them: the finished MP4, with its index at the front.

Sound is encoded once over the whole length; joined pieces of AAC would have a gap at each seam.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from gpu.plan.duration import SAMPLE_RATE
from gpu.render.reader import Samples

AUDIO_BITS_PER_SECOND = 160_000
_TIMESCALE = 240_000
"""Ticks a second of the file's edit lists: a multiple of the sample rate and of the usual frame rates."""


class Part(NamedTuple):
    """A file with pictures only, the first of which is output frame `first`."""

    path: Path
    first: int


def join(parts: Sequence[Part], rate: Fraction, sound: Iterator[Samples] | None, path: Path) -> None:
    """Writes `path`; an exception leaves a part of a file there. `sound` None writes a file without sound."""
    options = {"movflags": "+faststart", "movie_timescale": str(_TIMESCALE), "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = _video_stream(container, parts[0].path)
        track = _Track(container, sound) if sound is not None else None
        for part in parts:
            for packet in _shifted(part, rate, video):
                if track is not None and packet.dts is not None:
                    track.write_until(packet.dts * packet.time_base)
                container.mux(packet)
        if track is not None:
            track.finish()


def _video_stream(container: OutputContainer, path: Path) -> VideoStream:
    with av.open(str(path), "r") as first:
        return container.add_stream_from_template(first.streams.video[0])


def _shifted(part: Part, rate: Fraction, video: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """The part's packets at their place in the result. Raises ValueError when its parameter sets are others."""
    with av.open(str(part.path), "r") as container:
        stream = container.streams.video[0]
        if stream.codec_context.extradata != video.codec_context.extradata:
            raise ValueError(f"{part.path.name} was encoded with other parameters than the parts before it")
        for packet in container.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            offset = part.first / rate / packet.time_base
            if offset.denominator != 1:
                raise ValueError(f"frame {part.first} lies between the ticks of {packet.time_base} s")
            packet.pts += offset.numerator
            packet.dts += offset.numerator
            packet.stream = video
            yield packet


class _Track:
    """Encodes sound as the pictures need it."""

    def __init__(self, container: OutputContainer, sound: Iterator[Samples]) -> None:
        self._container, self._sound = container, sound
        self._stream: AudioStream = container.add_stream("aac", rate=SAMPLE_RATE)
        self._stream.layout = "stereo"
        self._stream.bit_rate = AUDIO_BITS_PER_SECOND
        self._written = 0

    def write_until(self, seconds: Fraction) -> None:
        while self._written < seconds * SAMPLE_RATE and self._write_next():
            pass

    def finish(self) -> None:
        while self._write_next():
            pass
        self._container.mux(self._stream.encode(None))

    def _write_next(self) -> bool:
        samples = next(self._sound, None)
        if samples is None:
            return False
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._written, Fraction(1, SAMPLE_RATE)
        self._container.mux(self._stream.encode(frame))
        self._written += samples.shape[1]
        return True
