"""Boxes of an MP4 file (ISO 14496-12): only those that a finished clip needs."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

MATRIX = b"".join(value.to_bytes(4) for value in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
"""Shown as stored."""


def box(kind: str, *content: bytes) -> bytes:
    data = b"".join(content)
    return (8 + len(data)).to_bytes(4) + kind.encode() + data


def full_box(kind: str, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, bytes([version]), flags.to_bytes(3), *content)


def u16(*values: int) -> bytes:
    return b"".join(value.to_bytes(2) for value in values)


def u32(*values: int) -> bytes:
    return b"".join(value.to_bytes(4) for value in values)


def counted_u32(values: Sequence[int]) -> bytes:
    return u32(len(values)) + np.asarray(values, ">u4").tobytes()


def counted_u64(values: Sequence[int]) -> bytes:
    return u32(len(values)) + np.asarray(values, ">u8").tobytes()


def counted_runs(values: Iterable[int]) -> bytes:
    """Equal neighbours as pairs of count and value."""
    runs = [(sum(1 for _ in same), value) for value, same in groupby(values)]
    return u32(len(runs)) + np.asarray(runs, ">u4").tobytes()


def descriptor(tag: int, content: bytes) -> bytes:
    """Of ISO 14496-1, 8.3.3, with a length of one byte."""
    if len(content) > 127:
        raise ValueError(f"{len(content)} bytes do not fit into a short descriptor")
    return bytes([tag, len(content)]) + content
