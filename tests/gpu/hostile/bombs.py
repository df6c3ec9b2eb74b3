"""Small files whose pictures or sound are huge, or are not what their header says."""

import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.render.picture import planes
from tests.gpu.hostile.boxes import STBL, edited, patched
from tests.gpu.hostile.seed import Seed
from tests.gpu.render.videos import write_video


def black_pictures_of_8k(seed: Seed) -> bytes:
    """A few kilobytes, 50 MB a picture; inside the limits, so it must be read within them too."""
    return _black((7680, 4320), 40)


def black_pictures_of_15k(seed: Seed) -> bytes:
    return _black((15360, 8640), 2)


def sps_of_15k(seed: Seed) -> bytes:
    return _with_sps(seed, 960, 540)


def sps_of_a_million(seed: Seed) -> bytes:
    return _with_sps(seed, 65535, 4)


def sps_of_8k(seed: Seed) -> bytes:
    return _with_sps(seed, 480, 270)


def sizes_change(seed: Seed) -> bytes:
    """In MPEG-TS, where the second part brings its own header."""
    return seed.ts + _written("large.ts", size=(1920, 1080)) + _written("small.ts", size=(64, 64))


def odd_and_tiny(seed: Seed) -> bytes:
    return _encoded("mpeg4", "yuv420p", (17, 19), 10, "tiny.mkv")


def below_the_smallest(seed: Seed) -> bytes:
    return _written("tiny.mkv", size=(4, 2))


def a_thousand_frames_a_second(seed: Seed) -> bytes:
    return _written("fast.mkv", rate=Fraction(1000))


def hdr_in_name_only(seed: Seed) -> bytes:
    def tags(context: VideoCodecContext) -> None:
        context.color_trc, context.color_primaries, context.colorspace = 16, 9, 9

    return _written("hdr.mp4", tags=tags)


def ten_bit_called_eight(seed: Seed) -> bytes:
    """High 10 pictures; the index says Baseline and 8 bits."""
    data = _encoded("libx264", "yuv420p10le", (320, 180), 30)
    at = data.index(b"avcC") + 4
    return data[: at + 1] + b"\x42" + data[at + 2 :]


def h264_called_hevc(seed: Seed) -> bytes:
    return seed.mp4.replace(b"avc1", b"hev1").replace(b"avcC", b"hvcC")


def rgb_pictures(seed: Seed) -> bytes:
    return _encoded("libx264rgb", "rgb24", (320, 180), 10)


def jpegs_of_65500(seed: Seed) -> bytes:
    """Motion JPEG in AVI: each picture's own header claims 65500 x 65500."""
    data = _encoded("mjpeg", "yuvj420p", (320, 180), 5, "one.avi")
    claimed = struct.pack(">HH", 65500, 65500)
    return data.replace(b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 180, 320), b"\xff\xc0\0\x11\x08" + claimed)


def vp9_of_65536(seed: Seed) -> bytes:
    """VP9 keyframes whose 16-bit sizes are all ones."""
    data = bytearray(_encoded("libvpx-vp9", "yuv420p", (320, 180), 3, "one.webm"))
    at = data.index(b"\x49\x83\x42") + 3
    data[at : at + 6] = b"\x0f\xff\xff\xff\xff\xf0"
    return bytes(data)


def sound_of_255_channels(seed: Seed) -> bytes:
    at = seed.mp4.index(b"mp4a") + 4 + 16
    return patched(seed.mp4, at, "HH", 255, 16)


def sound_of_no_rate(seed: Seed) -> bytes:
    at = seed.mp4.index(b"mp4a") + 4 + 24
    return patched(seed.mp4, at, "I", 0)


def _with_sps(seed: Seed, columns: int, rows: int) -> bytes:
    """The picture header in the index claims `columns` x `rows` blocks of 16 x 16."""
    sps = _sps(columns, rows)

    def change(stsd: bytes) -> bytes:
        at = stsd.index(b"avcC") + 4
        end = at - 8 + int.from_bytes(stsd[at - 8 : at - 4])
        length = int.from_bytes(stsd[at + 6 : at + 8])
        record = stsd[at : at + 6] + struct.pack(">H", len(sps)) + sps + stsd[at + 8 + length : end]
        entry = stsd[8 : at - 8] + struct.pack(">I4s", len(record) + 8, b"avcC") + record + stsd[end:]
        return stsd[:8] + struct.pack(">I", len(entry)) + entry[4:]

    return edited(seed.mp4, STBL + "stsd", change)


def _sps(columns: int, rows: int) -> bytes:
    """Main profile, level 6.2, frames only (H.264, 7.3.2.1.1)."""
    numbers = [0, 0, 2, 16]
    bits = "".join(map(_golomb, numbers)) + "0" + _golomb(columns - 1) + _golomb(rows - 1) + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x67\x4d\x00\x3e" + int(bits, 2).to_bytes(len(bits) // 8)


def _golomb(number: int) -> str:
    binary = f"{number + 1:b}"
    return "0" * (len(binary) - 1) + binary


def _black(size: tuple[int, int], count: int) -> bytes:
    return _encoded("libx264", "yuv420p", size, count)


def _encoded(codec: str, form: str, size: tuple[int, int], count: int, name: str = "one.mp4") -> bytes:
    picture = VideoFrame(*size, "yuv420p")
    for plane in planes(picture):
        np.copyto(plane, 128)
    picture = picture.reformat(format=form)
    with tempfile.TemporaryDirectory(prefix="bomb-") as folder:
        path = Path(folder) / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=30)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = *size, form
            if codec.startswith("libx264"):
                stream.options = {"preset": "ultrafast", "x264-params": "threads=1"}
            for number in range(count):
                picture.pts, picture.time_base = number, Fraction(1, 30)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return path.read_bytes()


def _written(name: str, **how: object) -> bytes:
    with tempfile.TemporaryDirectory(prefix="bomb-") as folder:
        return write_video(Path(folder) / name, 10, **how).read_bytes()  # type: ignore[arg-type]
