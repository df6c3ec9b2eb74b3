"""MP4 boxes as a tree that may be bent: sizes of the outer boxes follow, everything else stays as it is told."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

_NESTING = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"})
STBL = "moov/trak/mdia/minf/stbl/"


@dataclass
class Box:
    """Either `data` or, for a kind that nests, `children`."""

    kind: bytes
    data: bytes = b""
    children: list["Box"] = field(default_factory=list)


def box(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full(*numbers: int, form: str = "I") -> bytes:
    """Version and flags 0, then the numbers."""
    return bytes(4) + struct.pack(f">{len(numbers)}{form}", *numbers)


def parsed(data: bytes) -> list[Box]:
    boxes, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        inside = data[at + 8 : at + size]
        boxes.append(Box(kind, children=parsed(inside)) if kind in _NESTING else Box(kind, inside))
        at += size
    return boxes


def built(boxes: list[Box]) -> bytes:
    return b"".join(box(one.kind, built(one.children) if one.children else one.data) for one in boxes)


def found(boxes: list[Box], path: str) -> Box:
    """The first box at `moov/trak/...`."""
    first, _, rest = path.partition("/")
    matching = next(one for one in boxes if one.kind == first.encode())
    return found(matching.children, rest) if rest else matching


def edited(mp4: bytes, path: str, change: Callable[[bytes], bytes]) -> bytes:
    """The file with the content of the box at `path` changed; its index is at its end, so no offset moves."""
    tree = parsed(mp4)
    one = found(tree, path)
    one.data, one.children = change(built(one.children) or one.data), []
    return built(tree)


def replaced(mp4: bytes, path: str, data: bytes) -> bytes:
    return edited(mp4, path, lambda _: data)


def patched(data: bytes, at: int, form: str, *values: int) -> bytes:
    """`data` with `values` written over it at `at`, big-endian."""
    bent = bytearray(data)
    struct.pack_into(f">{form}", bent, at, *values)
    return bytes(bent)
