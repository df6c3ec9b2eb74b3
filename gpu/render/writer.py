"""Writes a part's pictures as H.264 (libx264 near veryfast, CRF 20), tagged yuv420p, bt709, TV range.

Every part has one encoder thread and nothing that depends on timing, so the same plan of the same source gives the same
bytes on every machine, and parts follow each other in one stream: same parameter sets, each begins with an IDR picture.
"""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.plan.geometry import Size
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE

CRF = 20
KEYFRAME_SECONDS = 2
_AVX2, _AVX_512F = 11, 13
"""Numbers of OpenCV's `CpuFeatures`, which its Python module does not name."""


def repeatable() -> str:
    """Parameters with which x264 writes the same bytes for the same frames.

    A lookahead thread of its own makes its decisions depend on timing, and its AVX-512 code gave other bytes in one of
    five runs on a busy machine, with one thread too; restricted to AVX2, 30 of 30 were equal.
    """
    restricted = cv2.checkHardwareSupport(_AVX2) and cv2.checkHardwareSupport(_AVX_512F)
    return "sync-lookahead=0:asm=avx2" if restricted else "sync-lookahead=0"


def encoding() -> str:
    """Parameters on top of veryfast, measured by `bench.render.encoder`; the bytes are repeatable.

    Predicted blocks are not split: enlarged pictures have no detail that smaller ones would follow. Looking eight
    pictures ahead instead of ten saves memory.
    """
    return f"partitions=i4x4,i8x8:rc-lookahead=8:{repeatable()}"


class PartWriter:
    """A context: leaving it without an error completes the file, leaving it with one leaves a part of it.

    Raises MemoryError when the encoder gets no memory.
    """

    def __init__(self, path: Path, size: Size, rate: Fraction) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"})
        self._rate = rate
        self._stream = self._video_stream(size)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._encoded(None))
        finally:
            self._container.close()

    def add(self, frame: VideoFrame) -> None:
        """Encodes the next picture; the frame's memory is free again when this returns."""
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._container.mux(self._encoded(frame))
        self._count += 1

    def _encoded(self, frame: VideoFrame | None) -> list["Packet[VideoStream]"]:
        try:
            return self._stream.encode(frame)
        except av.ExternalError as error:  # what x264 says when it cannot allocate; its log has the size
            raise MemoryError("the encoder has no memory for pictures of this size") from error

    def _video_stream(self, size: Size) -> VideoStream:
        options = {"preset": "veryfast", "crf": str(CRF), "profile": "high", "x264-params": encoding()}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, PIXEL_FORMAT
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = TV_RANGE
        context.gop_size = round(KEYFRAME_SECONDS * self._rate)
        context.thread_count = 1
        return stream
