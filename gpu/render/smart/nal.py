"""NAL units of H.264 (ITU-T H.264, 7.3.1), with length fields as in MP4 or start codes as encoders write them."""

import re
from collections.abc import Iterable, Iterator

SLICE, IDR, SPS, PPS = 1, 5, 7, 8
LENGTH_BYTES = 4
_START_CODE = re.compile(rb"\x00\x00\x01")


class NalError(ValueError):
    """The bytes are not a sequence of whole NAL units."""


def nal_type(unit: bytes) -> int:
    return unit[0] & 0x1F


def split_lengths(data: bytes) -> Iterator[bytes]:
    """The units of a packet with four-byte lengths; raises NalError where they do not fill it exactly."""
    position = 0
    while position < len(data):
        start = position + LENGTH_BYTES
        position = start + int.from_bytes(data[position:start])
        unit = data[start:position]
        if not unit or position > len(data) or unit[0] & 0x80 or not nal_type(unit):
            raise NalError(f"no NAL unit at byte {start} of {len(data)}")
        yield unit


def split_start_codes(data: bytes) -> Iterator[bytes]:
    """The units of a byte stream (H.264, annex B)."""
    marks = [*_START_CODE.finditer(data)]
    ends = [mark.start() for mark in marks[1:]] + [len(data)]
    for mark, end in zip(marks, ends, strict=True):
        if unit := data[mark.end() : end].rstrip(b"\x00"):
            yield unit


def with_lengths(units: Iterable[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(LENGTH_BYTES) + unit for unit in units)
