"""The reader of MP4 against files that PyAV wrote, and against what is no such file."""

import struct
from pathlib import Path

import av
import pytest

from infra.deploy.errors import DeployError
from infra.deploy.verify.mp4 import Video, read_mp4


def boxes(content: bytes) -> dict[bytes, bytes]:
    """The top-level boxes, whole, in their order."""
    found, start = {}, 0
    while start < len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        found[kind] = content[start : start + size]
        start += size
    return found


def test_it_says_what_pyav_says(video: Path) -> None:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        assert read_mp4(video.read_bytes()) == Video(frames, stream.width, stream.height)


def test_a_box_with_a_long_size_is_read(video: Path) -> None:
    found = boxes(video.read_bytes())
    mdat = found[b"mdat"]
    found[b"mdat"] = struct.pack(">I4sQ", 1, b"mdat", len(mdat) + 8) + mdat[8:]
    assert read_mp4(b"".join(found.values())).frames == 60


@pytest.mark.parametrize("content", [b"", b"this is no video", b"\0\0\0\x08ftyp", b"\0\0\0\x04ftyp", b"\0" * 64])
def test_what_is_no_mp4_is_refused(content: bytes) -> None:
    with pytest.raises(DeployError, match="MP4"):
        read_mp4(content)


def test_a_file_that_is_cut_off_is_refused(video: Path) -> None:
    content = video.read_bytes()
    for end in (len(content) - 1, len(content) // 2, 100):
        with pytest.raises(DeployError, match="MP4"):
            read_mp4(content[:end])


def test_a_file_without_its_index_or_its_pictures_is_refused(video: Path) -> None:
    for missing in (b"moov", b"mdat"):
        found = boxes(video.read_bytes())
        del found[missing]
        with pytest.raises(DeployError, match="not complete"):
            read_mp4(b"".join(found.values()))


def test_a_file_that_plays_late_is_refused(video: Path) -> None:
    found = boxes(video.read_bytes())
    late = {**{kind: box for kind, box in found.items() if kind != b"moov"}, b"moov": found[b"moov"]}
    with pytest.raises(DeployError, match="moov comes after mdat"):
        read_mp4(b"".join(late.values()))


def test_sound_alone_is_no_video(video: Path) -> None:
    content = video.read_bytes().replace(b"vide", b"text")
    with pytest.raises(DeployError, match="video track"):
        read_mp4(content)
