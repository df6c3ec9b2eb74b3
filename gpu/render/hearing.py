"""Reads a range of a source's sound and no picture: 48 kHz stereo on the pictures' clock, sample 0 at frame 0's start.

Sound that is missing, damaged or of an unreadable kind is silence; only the file's own failure to be read ends it with
an error.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import chain, islice
from typing import Self, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Discard, Stream

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.render_plan import SoundRange
from gpu.render.media import Media
from gpu.render.reader import Resampler, Samples, Sound
from gpu.render.soundtrack import Soundtrack

log = logging.getLogger(__name__)
_SETTLING = Fraction(1, 4)
"""Seconds that a decoder gets before the range."""
_STEPS_BACK = (Fraction(1), Fraction(10), Fraction(60))
"""Seconds before the range at which to look for its first packet: sound may be stored that much before its pictures,
and a seek may land behind the place it was given."""
_BEFORE_START = Fraction(-1)
_OVERRUN = Fraction(1)
"""Seconds beyond the range up to which its last sound is waited for."""
_LONGEST_CHUNK = Fraction(2)
"""Seconds behind the last entry of a complete index: sound without compression has one for each run of samples."""
_LOUDEST = 8.0
"""Times full level. Encoders refuse what is not a number or near infinity, which a file of floats may hold."""


def heard(media: Media, wanted: SoundRange) -> Generator[Samples]:
    """Contiguous samples of shape (2, n), exactly `wanted.sample_count` in all; silence where the source has none."""
    track = Soundtrack(wanted)
    with closing(read_sound(media, wanted)) as sounds:
        for sound in sounds:
            yield from track.add(sound)
            if track.done:
                return
    yield from track.finish()


def read_sound(media: Media, wanted: SoundRange) -> Generator[Sound]:
    """The range's sound as it is stored, which may begin before and end after it, with gaps; nothing when it has none.

    One channel is copied to both sides at full level; more than two are mixed so that no sum goes above full level.
    """
    if media.audio is None:
        return
    start = Fraction(wanted.start_sample, SAMPLE_RATE)
    end = start + Fraction(wanted.sample_count, SAMPLE_RATE)
    resampler = Resampler(media.zero)
    with _Tracks(media, media.audio) as tracks:
        for packet in tracks.packets(start, end):
            at = _seconds(packet)
            if at is None or at + (packet.duration or 0) * packet.time_base >= media.zero + start - _SETTLING:
                yield from _converted(_decoded(packet), resampler)
        yield from _converted([None], resampler)


class _Tracks:
    """The sound's packets; a context in which the container passes over other tracks.

    Where an MP4 or MOV has an index of the sound, nothing else is even read. Elsewhere the pictures' packets say how
    far reading has come, so that sound that is missing is not looked for up to the end of the file.
    """

    def __init__(self, media: Media, audio: AudioStream) -> None:
        self._media, self._audio = media, audio
        self._indexed = "mov" in media.container.format.name and _is_indexed(audio)
        self._read: list[Stream] = [audio] if self._indexed else [audio, media.video]
        self._discards: list[tuple[Stream, Discard]] = []

    def __enter__(self) -> Self:
        kept = [stream.index for stream in self._read]
        for stream in self._media.container.streams:
            self._discards.append((stream, stream.discard))
            stream.discard = Discard.default if stream.index in kept else Discard.all
        return self

    def __exit__(self, *_: object) -> None:
        for stream, discard in self._discards:
            stream.discard = discard

    def packets(self, start: Fraction, end: Fraction) -> Iterator["Packet[AudioStream]"]:
        """From before `start` on, if there are any, to a little after `end`, in seconds after frame 0."""
        for packet in self._from(start):
            at = _seconds(packet)
            if at is not None and at > self._media.zero + end + _OVERRUN:
                return
            if packet.stream_index == self._audio.index:
                yield cast("Packet[AudioStream]", packet)

    def _from(self, start: Fraction) -> Iterator["Packet[Stream]"]:
        packets: Iterator[Packet[Stream]] = iter(())
        for back in _STEPS_BACK:
            self._seek(max(start - back, _BEFORE_START))
            demuxed = self._demuxed()
            skipped = list(islice(demuxed, 1))
            packets = chain(skipped, demuxed)
            if start - back <= _BEFORE_START or any(self._is_before(packet, start) for packet in skipped):
                break
        return packets

    def _seek(self, seconds: Fraction) -> None:
        """By the sound's own index where there is one: a seek to the first picture passes over the packet before the
        first sample, which its decoder needs."""
        if self._indexed:
            at = int((self._media.zero + seconds) / (self._audio.time_base or Fraction(1, SAMPLE_RATE)))
            self._media.container.seek(at, stream=self._audio, backward=True)
        else:
            self._media.seek(seconds)

    def _demuxed(self) -> Iterator["Packet[Stream]"]:
        try:
            yield from self._media.container.demux(self._read)
        except av.InvalidDataError:
            log.debug("the sound ends where the file is damaged")

    def _is_before(self, packet: "Packet[Stream]", start: Fraction) -> bool:
        at = _seconds(packet)
        return at is not None and at <= self._media.zero + start


def _is_indexed(audio: AudioStream) -> bool:
    """Whether there is an index for the whole sound: not in fragmented files, which tell no number of samples."""
    entries, length = audio.index_entries, audio.duration
    if not audio.frames or not len(entries) or not length or audio.time_base is None:
        return False
    return (length - entries[-1].timestamp) * audio.time_base <= _LONGEST_CHUNK


def _seconds(packet: "Packet[AudioStream] | Packet[Stream]") -> Fraction | None:
    at = packet.dts if packet.pts is None else packet.pts
    return None if at is None else at * packet.time_base


def _decoded(packet: "Packet[AudioStream]") -> list[AudioFrame]:
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except av.FFmpegError as error:
        log.debug("a packet of sound at %s cannot be decoded: %s", packet.pts, error)
        return []
    return [frame for frame in frames if not frame.is_corrupt]


def _converted(frames: Sequence[AudioFrame | None], resampler: Resampler) -> Iterator[Sound]:
    for frame in frames:
        try:
            sounds = list(resampler.convert(frame))
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            log.debug("sound cannot be converted: %s", error)
            continue
        yield from (Sound(sound.position, _bounded(sound.samples)) for sound in sounds)


def _bounded(samples: Samples) -> Samples:
    return np.clip(np.nan_to_num(samples, nan=0.0), -_LOUDEST, _LOUDEST)
