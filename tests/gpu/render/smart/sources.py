"""Recordings in the GOP structures that cameras and encoders write."""

from collections.abc import Callable
from pathlib import Path

from av.video.codeccontext import VideoCodecContext

from gpu.render.smart.parameters import read_record
from tests.gpu.render.videos import Tags, write_video

FRAMES = 100
GOP = 25


def encoded(x264: str, gop: int = GOP, **options: str) -> Tags:
    """`x264` are parameters of the encoder; `options` those of FFmpeg's wrapper."""

    def change(context: VideoCodecContext) -> None:
        context.gop_size = gop
        context.options = {"preset": "veryfast", "x264-params": f"scenecut=0:{x264}", **options}

    return change


WRITTEN: dict[str, Callable[[Path], Path]] = {
    "in order": lambda path: write_video(path, FRAMES, tags=encoded("bframes=0")),
    "baseline": lambda path: write_video(path, FRAMES, tags=encoded("bframes=0", profile="baseline")),
    "main": lambda path: write_video(path, FRAMES, tags=encoded("bframes=2:b-pyramid=none:level=41", profile="main")),
    "reordered": lambda path: write_video(path, FRAMES, tags=encoded("bframes=3:b-pyramid=normal:b-adapt=0:ref=4")),
    "long reordering": lambda path: write_video(path, FRAMES, tags=encoded("bframes=8:b-adapt=0:ref=6")),
    "slices": lambda path: write_video(path, FRAMES, tags=encoded("bframes=2:slices=4")),
    "moov at end, mov": lambda path: write_video(path.with_suffix(".mov"), FRAMES, tags=encoded("bframes=2")),
}


def open_gop(path: Path) -> Path:
    """Only the first keyframe is an IDR picture."""
    return write_video(path, FRAMES, tags=encoded("bframes=3:open-gop=1:b-adapt=0"))


def parameters_of(data: bytes) -> tuple[int, bytes]:
    """Where the content of the first `avcC` starts, and the content."""
    at = data.index(b"avcC")
    return at + 4, data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]


def without_usability_information(video: Path) -> Path:
    """Takes the VUI out of the sequence parameter set, as cameras do that tell no decoder how far pictures move."""
    data = video.read_bytes()
    start, record = parameters_of(data)
    old = read_record(record).sps[0]
    new = _cut_before_vui(old)
    shorter = record.replace(len(old).to_bytes(2) + old, len(new).to_bytes(2) + new)
    gap = len(record) - len(shorter)
    free = gap.to_bytes(4) + b"free" + bytes(gap - 8)
    box = (8 + len(shorter)).to_bytes(4) + b"avcC" + shorter + free
    video.write_bytes(data[: start - 8] + box + data[start + len(record) :])
    return video


def _cut_before_vui(unit: bytes) -> bytes:
    """For what x264 writes: High, no scaling matrix, picture order 0 or 2, cropping or not."""
    text = bin(int.from_bytes(b"\x01" + unit[4:].replace(b"\x00\x00\x03", b"\x00\x00")))[3:]
    position = 0

    def take(bits: int) -> str:
        nonlocal position
        position += bits
        return text[position - bits : position]

    def code() -> int:
        zeros = text.index("1", position) - position
        return int(take(2 * zeros + 1), 2) - 1

    code()
    code(), code(), code(), take(2)
    code()
    if code() == 0:
        code()
    code(), take(1), code(), code(), take(2)
    if take(1) == "1":
        code(), code(), code(), code()
    kept = text[:position] + "01"
    kept += "0" * (-len(kept) % 8)
    payload = int(kept, 2).to_bytes(len(kept) // 8)
    for low in range(4):
        payload = payload.replace(b"\x00\x00" + bytes([low]), b"\x00\x00\x03" + bytes([low]))
    return unit[:4] + payload
