"""Joins parts without loss and lays the sound beside them: the finished MP4, with its index at the front."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

TIMESCALE = 240_000
"""Ticks a second of the file's edit lists: a multiple of the sample rate and of the usual frame rates."""

Coded: TypeAlias = "Packet[VideoStream] | Packet[AudioStream]"


class Part(NamedTuple):
    """A file with pictures only, the first of which is output frame `first`."""

    path: Path
    first: int


def join(parts: Sequence[Part], rate: Fraction, sound: Path | None, path: Path) -> None:
    """Writes `path`; an exception leaves a part of a file there. `sound` is a file with sound only, None is none."""
    options = {"movflags": "+faststart", "movie_timescale": str(TIMESCALE), "fflags": "+bitexact"}
    with ExitStack() as sources, av.open(str(path), "w", format="mp4", options=options) as container:
        tracks = [_pictures(parts, rate, container)]
        if sound is not None:
            tracks.append(_sound(sources.enter_context(av.open(str(sound), "r")), container))
        for packet in heapq.merge(*tracks, key=_decoded_at):
            container.mux(packet)


def _decoded_at(packet: Coded) -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _pictures(parts: Sequence[Part], rate: Fraction, container: OutputContainer) -> Iterator[Coded]:
    with av.open(str(parts[0].path), "r") as first:
        stream = container.add_stream_from_template(first.streams.video[0])
    return (packet for part in parts for packet in _shifted(part, rate, stream))


def _shifted(part: Part, rate: Fraction, video: VideoStream) -> Iterator[Coded]:
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


def _sound(stored: InputContainer, container: OutputContainer) -> Iterator[Coded]:
    (sound,) = stored.streams.audio
    stream = container.add_stream_from_template(sound)

    def packets() -> Iterator[Coded]:
        for packet in stored.demux(sound):
            if packet.dts is not None:
                packet.stream = stream
                yield packet

    return packets()
