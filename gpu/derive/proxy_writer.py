"""Writes an edit proxy: H.264 that any browser decodes and seeks fast, a keyframe at every 15th frame and nowhere else.

GOPs have no B-frames and are therefore closed, so frame n costs at most the decoding of frames n // 15 * 15 to n.
Thread counts are fixed: the same frames give the same bytes.
"""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.geometry import Size
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE
from gpu.render.reader import Samples
from gpu.render.writer import repeatable

GOP = 15
CRF = 28
ENCODER_THREADS = 4
AUDIO_BITS_PER_SECOND = 96_000
_CHUNK_MICROSECONDS = 500_000
"""Length of the pieces in which pictures and sound alternate. Long ones more than halve the index of a long file."""
_TIMESCALE = 240_000
"""Ticks a second of the edit lists: a multiple of the sample rate and of the usual frame rates."""


class ProxyWriter:
    """A context: leaving it without an error completes the file, leaving it with one leaves a part of it."""

    def __init__(self, path: Path, size: Size, rate: Fraction, *, with_sound: bool) -> None:
        options = {
            "movflags": "+faststart",
            "movie_timescale": str(_TIMESCALE),
            "chunk_duration": str(_CHUNK_MICROSECONDS),
            "fflags": "+bitexact",
        }
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._rate = rate
        self._video = self._video_stream(size)
        self._audio = self._audio_stream() if with_sound else None
        self._pictures = self._samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._video.encode(None))
                if self._audio is not None:
                    self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()

    def add_picture(self, frame: VideoFrame) -> None:
        """Encodes the next picture; the frame's memory is free again when this returns."""
        frame.pts, frame.time_base = self._pictures, 1 / self._rate
        self._container.mux(self._video.encode(frame))
        self._pictures += 1

    def add_sound(self, samples: Samples) -> None:
        """Encodes the next samples; only for a writer made with sound."""
        if self._audio is None:
            raise ValueError("this proxy was opened without sound")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._samples, Fraction(1, SAMPLE_RATE)
        self._container.mux(self._audio.encode(frame))
        self._samples += samples.shape[1]

    def _video_stream(self, size: Size) -> VideoStream:
        # Without scene cuts keyframes stay on the multiples of GOP, where a player can rely on them.
        options = {
            "preset": "veryfast",
            "tune": "fastdecode",
            "crf": str(CRF),
            "x264-params": f"scenecut=0:{repeatable()}",
        }
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, PIXEL_FORMAT
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = TV_RANGE
        context.gop_size, context.max_b_frames = GOP, 0
        context.thread_count, context.thread_type = ENCODER_THREADS, "FRAME"
        return stream

    def _audio_stream(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=SAMPLE_RATE)
        stream.layout = "stereo"
        stream.bit_rate = AUDIO_BITS_PER_SECOND
        return stream
