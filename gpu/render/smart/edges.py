"""Encodes the frames before and behind the copied run: libx264 in the source's profile, without reordered pictures.

Without B-pictures each frame of an edge is out of the decoder before the next IDR picture, whatever that does to the
decoder's buffer; and the buffer has the source's size, so that no change of it makes a decoder drop pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from gpu.plan.geometry import Size
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE
from gpu.render.smart.nal import IDR, nal_type, split_start_codes, with_lengths
from gpu.render.smart.parameters import BASELINE, MAIN, ParameterError, ParameterSets, from_encoder
from gpu.render.writer import CRF, KEYFRAME_SECONDS, repeatable

_PROFILES = {BASELINE: "baseline", MAIN: "main"}
_MOST_REFERENCES = 16
_THREADS = 4
"""Fixed: another number writes other bytes. An edge is one short piece, so more processes would not help it."""


@dataclass(frozen=True)
class Encoded:
    """One picture in MP4's form."""

    data: bytes
    is_idr: bool


class EdgeEncoder:
    """Encodes one edge: frames in, pictures out in the same order. Two of the same source have the same sets."""

    def __init__(self, source: ParameterSets, size: Size, rate: Fraction) -> None:
        self._context = _context(source, size, rate)
        self._context.open()
        self.sets = from_encoder(self._context.extradata or b"")
        if not self.sets.sps or not self.sets.pps:
            raise ParameterError("the encoder gave no parameter sets")
        self._rate, self._frames = rate, 0

    def add(self, frame: VideoFrame) -> Iterator[Encoded]:
        """The pictures that are ready; the frame is free again when this is exhausted. Raises MemoryError."""
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        frame.pict_type = PictureType.NONE  # else x264 would repeat the source's choice
        self._frames += 1
        yield from self._encoded(frame)

    def finish(self) -> Iterator[Encoded]:
        yield from self._encoded(None)

    def _encoded(self, frame: VideoFrame | None) -> Iterator[Encoded]:
        try:
            packets = self._context.encode(frame)
        except av.ExternalError as error:  # what x264 says when it cannot allocate
            raise MemoryError("the encoder has no memory for pictures of this size") from error
        yield from map(_in_mp4_form, packets)


def _in_mp4_form(packet: "Packet[VideoStream]") -> Encoded:
    units = [*split_start_codes(bytes(packet))]
    return Encoded(with_lengths(units), any(nal_type(unit) == IDR for unit in units))


def _context(source: ParameterSets, size: Size, rate: Fraction) -> VideoCodecContext:
    sequence = source.sequences[0]
    buffered = min(max(1, *(one.reference_frames for one in source.sequences)), _MOST_REFERENCES)
    own = f"sps-id={source.free_number()}:dpb-size={buffered}:level={sequence.level}:bframes=0"
    context = VideoCodecContext.create("libx264", "w")
    context.options = {
        "preset": "veryfast",
        "crf": str(CRF),
        "profile": _PROFILES.get(sequence.profile, "high"),
        "x264-params": f"{repeatable()}:{own}",
    }
    context.width, context.height, context.pix_fmt = size.width, size.height, PIXEL_FORMAT
    context.framerate, context.time_base = rate, 1 / rate
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = TV_RANGE
    context.gop_size = round(KEYFRAME_SECONDS * rate)
    context.thread_count, context.thread_type = _THREADS, "FRAME"
    context.flags |= Flags.global_header
    return context
