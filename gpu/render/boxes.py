"""The outermost boxes of an MP4 or MOV file (ISO 14496-12, 4.2). Reads their headers only, of the first boxes only."""

from collections.abc import Iterator
from typing import NamedTuple

from gpu.render.metered import SeekableFile

_MOST_BOXES = 32


class Box(NamedTuple):
    """`end` is what the box claims, in bytes from the start of the file; it may lie beyond the file."""

    kind: bytes
    end: int


def outer_boxes(file: SeekableFile, file_bytes: int) -> Iterator[Box]:
    """The file's first boxes; ends after one of an impossible size. Moves the file's position."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= file_bytes:
            return
        file.seek(at)
        header = _read(file, 16)
        if len(header) < 8:
            return
        size = int.from_bytes(header[:4])
        if size == 1:
            size = int.from_bytes(header[8:])
        # A size of 0 is that of the last box.
        yield Box(header[4:8], at + size if size else file_bytes)
        if size < 8:
            return
        at += size


def is_cut_off(file: SeekableFile, file_bytes: int) -> bool:
    """Whether the index or the media data go on beyond the end of the file. Moves the file's position.

    Of a fragmented file only what comes before the fragments counts: a recording that broke off plays up to there.
    Other boxes do not count: some cameras write bytes of their own, which are no boxes, behind the last one.
    """
    for box in outer_boxes(file, file_bytes):
        if box.kind == b"moof":
            return False
        if box.kind in (b"moov", b"mdat") and box.end > file_bytes:
            return True
    return False


def _read(file: SeekableFile, count: int) -> bytes:
    """`count` bytes, or fewer at the end of the file; one read may give less."""
    content = b""
    while len(content) < count and (part := file.read(count - len(content))):
        content += part
    return content
