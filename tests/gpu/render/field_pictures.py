"""H.264 whose two fields are pictures of their own (PAFF), as camcorders write it: no encoder at hand does.

Every macroblock is I_PCM (ITU-T H.264, 7.3.5), so there is nothing to compress; every frame starts with an IDR field.
"""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from gpu.render.picture import Plane, planes

_START = b"\0\0\0\1"
_TICKS = 90_000


class _Bits:
    """Writes the descriptors u(n), ue(v) and se(v) = 0 of H.264, 7.2."""

    def __init__(self) -> None:
        self._text = ""

    def u(self, bits: int, value: int) -> "_Bits":
        self._text += f"{value:0{bits}b}"
        return self

    def ue(self, *values: int) -> "_Bits":
        for value in values:
            digits = f"{value + 1:b}"
            self._text += "0" * (len(digits) - 1) + digits
        return self

    def aligned(self) -> bytes:
        text = self._text + "0" * (-len(self._text) % 8)
        return int(text, 2).to_bytes(len(text) // 8)

    def ended(self) -> bytes:
        self._text += "1"
        return self.aligned()


def write_field_pictures(path: Path, pictures: Sequence[VideoFrame], rate: Fraction, *, stamp_each_field: bool) -> Path:
    """An MPEG-TS, top field first; width is a multiple of 16, height of 32.

    Some cameras stamp each field, others only the first of a picture.
    """
    frames = [[_field(picture, number, bottom) for bottom in (0, 1)] for number, picture in enumerate(pictures)]
    header = _parameters(pictures[0].width, pictures[0].height, rate)
    start = io.BytesIO(header + b"".join(frames[0]) * 2)
    with av.open(start, format="h264") as template, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(template.streams.video[0])
        for number, fields in enumerate(frames):
            parts = fields if stamp_each_field else [b"".join(fields)]
            for half, part in enumerate(parts):
                packet = av.Packet(header + part if half == 0 else part)
                packet.stream, packet.time_base = stream, Fraction(1, _TICKS)
                packet.pts = packet.dts = round((number + Fraction(half, 2)) / rate * _TICKS)
                packet.is_keyframe = half == 0
                out.mux(packet)
    return path


def _parameters(width: int, height: int, rate: Fraction) -> bytes:
    sequence = _Bits().u(8, 77).u(8, 0).u(8, 40).ue(0, 0, 0, 4, 1).u(1, 0).ue(width // 16 - 1, height // 32 - 1)
    sequence.u(1, 0).u(1, 0).u(1, 1).u(1, 0)  # frame_mbs_only, mb_adaptive, direct_8x8_inference, cropping
    sequence.u(1, 1).u(4, 0).u(1, 1).u(32, rate.denominator).u(32, 2 * rate.numerator).u(1, 1).u(4, 0)
    picture = _Bits().ue(0, 0).u(1, 0).u(1, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(1, 1).u(1, 0).u(1, 0)
    return _unit(0x67, sequence.ended()) + _unit(0x68, picture.ended())


def _field(picture: VideoFrame, number: int, bottom: int) -> bytes:
    header = _Bits().ue(0, 7, 0).u(4, 0).u(1, 1).u(1, bottom)
    if not bottom:
        header.ue(number % 2)
    header.u(8, bottom).u(1 if bottom else 2, 0).ue(0, 1).ue(25)
    blocks = _macroblocks(*(plane[bottom::2] for plane in planes(picture)))
    data = header.aligned() + b"\x0d\0".join(block.tobytes() for block in blocks) + b"\x80"
    return _unit(0x21 if bottom else 0x65, data)


def _macroblocks(y: Plane, u: Plane, v: Plane) -> Plane:
    """One row of 384 samples for each; none is 0, so that no start code comes about."""
    parts = []
    for plane, size in ((y, 16), (u, 8), (v, 8)):
        rows, columns = plane.shape[0] // size, plane.shape[1] // size
        parts.append(plane.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(rows * columns, -1))
    return np.maximum(np.concatenate(parts, axis=1), 1)


def _unit(header: int, data: bytes) -> bytes:
    escaped = bytearray()
    for byte in data[:80]:  # parameters and slice headers; there are no two zeros in a row beyond
        if byte <= 3 and escaped[-2:] == b"\0\0":
            escaped.append(3)
        escaped.append(byte)
    return _START + bytes([header]) + bytes(escaped) + data[80:]
