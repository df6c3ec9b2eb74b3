"""Encodes the clip's sound once, as AAC."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec.context import Flags

from gpu.plan.duration import SAMPLE_RATE
from gpu.render.reader import Samples
from gpu.render.sound_part import AUDIO_BITS_PER_SECOND

AAC_FRAME = 1024
"""Samples of a packet; the encoder puts one packet of silence before the first sample."""


@dataclass(frozen=True)
class EncodedSound:
    """One packet of AAC."""

    data: bytes


class SoundEncoder:
    """Samples -> AAC packets; `header` is the decoder's configuration (ISO 14496-3, 1.6)."""

    def __init__(self) -> None:
        self._context = AudioCodecContext.create("aac", "w")
        self._context.sample_rate, self._context.layout, self._context.format = SAMPLE_RATE, "stereo", "fltp"
        self._context.bit_rate = AUDIO_BITS_PER_SECOND
        self._context.flags |= Flags.global_header
        self._context.open()
        self.header = self._context.extradata or b""
        self._samples = 0

    def add(self, samples: Samples) -> Iterator[EncodedSound]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._samples, Fraction(1, SAMPLE_RATE)
        self._samples += samples.shape[1]
        yield from (EncodedSound(bytes(packet)) for packet in self._context.encode(frame))

    def finish(self) -> Iterator[EncodedSound]:
        yield from (EncodedSound(bytes(packet)) for packet in self._context.encode(None))
