"""Writes the MP4: H.264 (libx264 veryfast, CRF 20) and AAC, tagged, with its index at the front.

Thread counts are fixed, so the same plan of the same source gives the same bytes on every machine.
"""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.render_plan import RenderPlan
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE
from gpu.render.reader import Samples

ENCODER_THREADS = 6
"""Enough to keep two to four cores busy while the encoder looks ahead in the thread that feeds it."""
CRF = 20
AUDIO_BITS_PER_SECOND = 160_000
KEYFRAME_SECONDS = 2
_AVX2, _AVX_512F = 11, 13
"""Numbers of OpenCV's `CpuFeatures`, which its Python module does not name."""
_TIMESCALE = 240_000
"""Ticks a second of the file's edit lists: a multiple of the sample rate and of the usual frame rates."""


def repeatable() -> str:
    """Parameters with which x264 writes the same bytes for the same frames.

    A lookahead thread of its own makes its decisions depend on timing, and its AVX-512 code gave other bytes in one of
    five runs on a busy machine, with one thread too; restricted to AVX2, 30 of 30 were equal.
    """
    restricted = cv2.checkHardwareSupport(_AVX2) and cv2.checkHardwareSupport(_AVX_512F)
    return "sync-lookahead=0:asm=avx2" if restricted else "sync-lookahead=0"


class Mp4Writer:
    """A context: leaving it without an error completes the file, leaving it with one leaves a part of it."""

    def __init__(self, path: Path, plan: RenderPlan) -> None:
        options = {"movflags": "+faststart", "movie_timescale": str(_TIMESCALE), "fflags": "+bitexact"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._rate = Fraction(plan.fps_num, plan.fps_den)
        self._video = self._video_stream(plan)
        self._audio = self._audio_stream() if plan.sound is not None else None
        self._pictures = self._samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._video.encode(None))
            if self._audio is not None:
                self._container.mux(self._audio.encode(None))
        self._container.close()

    def add_picture(self, frame: VideoFrame) -> None:
        """Encodes the next picture; the frame's memory is free again when this returns."""
        frame.pts, frame.time_base = self._pictures, 1 / self._rate
        self._container.mux(self._video.encode(frame))
        self._pictures += 1

    def add_sound(self, samples: Samples) -> None:
        """Encodes the next samples; only for a plan with sound."""
        if self._audio is None:
            raise ValueError("this plan has no sound; render it without samples")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._samples, Fraction(1, SAMPLE_RATE)
        self._container.mux(self._audio.encode(frame))
        self._samples += samples.shape[1]

    def _video_stream(self, plan: RenderPlan) -> VideoStream:
        options = {"preset": "veryfast", "crf": str(CRF), "profile": "high", "x264-params": repeatable()}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = plan.size.width, plan.size.height, PIXEL_FORMAT
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = TV_RANGE
        context.gop_size = round(KEYFRAME_SECONDS * self._rate)
        context.thread_count, context.thread_type = ENCODER_THREADS, "FRAME"
        return stream

    def _audio_stream(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=SAMPLE_RATE)
        stream.layout = "stereo"
        stream.bit_rate = AUDIO_BITS_PER_SECOND
        return stream
