"""What an MP4 says about its video track, without any media library.

Box layout: ISO/IEC 14496-12 (tkhd 8.3.2, hdlr 8.4.3, stsz 8.7.3.2).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from infra.deploy.errors import DeployError

_STSZ_COUNT = 8
_HANDLER = 8


class Video(NamedTuple):
    frames: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.frames} frames of {self.width}x{self.height}"


def read_mp4(content: bytes) -> Video:
    """Of the first video track; raises DeployError for what is no complete MP4 that plays before it is all there."""
    try:
        return _read(memoryview(content))
    except (struct.error, IndexError, KeyError, StopIteration) as error:
        raise DeployError(f"the file is no MP4 with a video track ({type(error).__name__})") from None


def _read(content: memoryview) -> Video:
    top = [(kind, body) for kind, body in _boxes(content)]
    order = [kind for kind, _ in top]
    if order[:1] != [b"ftyp"]:
        raise DeployError("the file is no MP4: it does not begin with ftyp")
    if b"moov" not in order or b"mdat" not in order:
        raise DeployError(f"the MP4 is not complete: it has {b', '.join(order).decode(errors='replace')}")
    if order.index(b"moov") > order.index(b"mdat"):
        raise DeployError("the MP4 plays only once all of it has arrived: moov comes after mdat")
    for kind, track in _boxes(dict(top)[b"moov"]):
        if kind == b"trak":
            media = _child(track, b"mdia")
            if bytes(_child(media, b"hdlr")[_HANDLER : _HANDLER + 4]) == b"vide":
                sizes = _child(_child(_child(media, b"minf"), b"stbl"), b"stsz")
                (frames,) = struct.unpack_from(">I", sizes, _STSZ_COUNT)
                # Width and height are the last two fields, in 16.16 fixed point.
                width, height = struct.unpack(">II", _child(track, b"tkhd")[-8:])
                return Video(frames, width >> 16, height >> 16)
    raise KeyError("trak")


def _child(body: memoryview, kind: bytes) -> memoryview:
    return next(inner for found, inner in _boxes(body) if found == kind)


def _boxes(body: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Type and content of each box; raises struct.error for one that is cut off."""
    start = 0
    while start < len(body):
        size, kind = struct.unpack_from(">I4s", body, start)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", body, start + 8)
            header = 16
        end = start + size if size else len(body)
        if (size and size < header) or end > len(body):
            raise struct.error("a box is cut off")
        yield kind, body[start + header : end]
        start = end
