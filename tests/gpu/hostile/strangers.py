"""Files that are no video at all, or the containers that carry everything else."""

import gzip
import io
import struct
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

from tests.gpu.hostile.seed import Seed
from tests.gpu.render.videos import write_sound_only, write_video

_CLUSTER, _SEGMENT = b"\x1f\x43\xb6\x75", b"\x18\x53\x80\x67"
_WITHOUT_END = b"\x01\xff\xff\xff\xff\xff\xff\xff"
_TAGS, _TAG = b"\x12\x54\xc3\x67", b"\x67\xc8"


def text(seed: Seed) -> bytes:
    return b"just text, and a good deal of it\n" * 3000


def html(seed: Seed) -> bytes:
    return f"<!doctype html><video src='{seed.lure}'></video>".encode() * 50


def archive(seed: Seed) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("match.mp4", seed.mp4)
    return memory.getvalue()


def packed_video(seed: Seed) -> bytes:
    return gzip.compress(seed.mp4, mtime=0)


def program(seed: Seed) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + seed.chance.randbytes(5000)


def document(seed: Seed) -> bytes:
    return b"%PDF-1.7\n" + seed.chance.randbytes(5000)


def noise(seed: Seed) -> bytes:
    return seed.chance.randbytes(300_000)


def zeros(seed: Seed) -> bytes:
    return bytes(3_000_000)


def png(seed: Seed) -> bytes:
    return cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()


def png_of_2_31(seed: Seed) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 2**31 - 1, 2**31 - 1) + b"\x08\x02" + bytes(3000)


def jpeg(seed: Seed) -> bytes:
    return cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes() * 30


def gif(seed: Seed) -> bytes:
    return (
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + bytes(6) + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    )


def flv(seed: Seed) -> bytes:
    return _written("one.flv")


def wav(seed: Seed) -> bytes:
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 2, 48_000, 192_000, 4, 16)
        + b"data"
        + bytes(9000)
    )


def song(seed: Seed) -> bytes:
    with tempfile.TemporaryDirectory(prefix="song-") as folder:
        return write_sound_only(Path(folder) / "song.m4a").read_bytes()


def raw_h264(seed: Seed) -> bytes:
    return _written("one.h264")


def mkv_cut(seed: Seed) -> bytes:
    return seed.mkv[: len(seed.mkv) // 2]


def mkv_header(seed: Seed) -> bytes:
    return seed.mkv[: seed.mkv.index(_CLUSTER)]


def mkv_nested_10000_deep(seed: Seed) -> bytes:
    head = seed.mkv[: seed.mkv.index(_SEGMENT)]
    return head + (_SEGMENT + _WITHOUT_END) * 10_000


def mkv_tags_nested(seed: Seed) -> bytes:
    head = seed.mkv[: seed.mkv.index(_SEGMENT)]
    return head + _SEGMENT + _WITHOUT_END + _TAGS + _WITHOUT_END + (_TAG + _WITHOUT_END) * 50_000


def mkv_elements_of_2_56(seed: Seed) -> bytes:
    return seed.mkv.replace(_CLUSTER, _CLUSTER + b"\x01\xff\xff\xff\xff\xff\xff\xfe" + _CLUSTER)


def mkv_of_noise(seed: Seed) -> bytes:
    at = seed.mkv.index(_CLUSTER) + 12
    return seed.mkv[:at] + seed.chance.randbytes(100_000)


def mkv_with_an_attachment(seed: Seed) -> bytes:
    """Its name is a path; whoever unpacks it writes there."""
    name, kind = f"../../..{seed.bait}".encode(), b"font/ttf"
    inside = (
        b"\x46\x6e" + _size(name) + name + b"\x46\x60" + _size(kind) + kind + b"\x46\x5c" + _size(b"x" * 99) + b"x" * 99
    )
    inside += b"\x46\xae\x81\x07"
    file = b"\x61\xa7" + _size(inside) + inside
    head, segment = seed.mkv.split(_SEGMENT, 1)
    return head + _SEGMENT + _WITHOUT_END + b"\x19\x41\xa4\x69" + _size(file) + file + segment[8:]


def avi_cut(seed: Seed) -> bytes:
    return seed.avi[: len(seed.avi) // 2]


def avi_index_lies(seed: Seed) -> bytes:
    at = seed.avi.index(b"idx1") + 8
    return seed.avi[:at] + b"00dc\x10\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f" * 20_000


def avi_lists_in_lists(seed: Seed) -> bytes:
    data = b""
    for _ in range(5000):
        data = b"LIST" + struct.pack("<I", len(data) + 4) + b"hdrl" + data
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"AVI " + data


def ts_cut(seed: Seed) -> bytes:
    return seed.ts[: len(seed.ts) // 3 + 77]


def ts_of_noise(seed: Seed) -> bytes:
    return b"".join(b"\x47" + seed.chance.randbytes(187) for _ in range(20_000))


def ts_of_nothing(seed: Seed) -> bytes:
    return (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 60_000


def ts_with_5000_programs(seed: Seed) -> bytes:
    packets = []
    for number in range(5000):
        packets.append(
            b"\x47" + struct.pack(">H", 0x4000 | (number % 8000 + 32)) + b"\x10" + seed.chance.randbytes(184)
        )
    return seed.ts[:752] + b"".join(packets)


def ts_repeated(seed: Seed) -> bytes:
    """The clock starts again two hundred times."""
    return seed.ts * 200


def film_in_a_film(seed: Seed) -> bytes:
    """An MKV, an MPEG-TS and an AVI, all in the `mdat` of an MP4 without index."""
    data = seed.mkv + seed.ts + seed.avi
    return seed.mp4[:32] + struct.pack(">I4s", len(data) + 8, b"mdat") + data


def _written(name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="stranger-") as folder:
        return write_video(Path(folder) / name, 10).read_bytes()


def _size(data: bytes) -> bytes:
    """EBML's length in two bytes."""
    return struct.pack(">H", 0x4000 | len(data))
