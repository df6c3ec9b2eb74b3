"""The file's layout: offsets that hold for small and for large files, and tracks side by side."""

import io
from fractions import Fraction

import pytest

from gpu.plan.geometry import Size
from gpu.render.smart.movie import PictureTrack, SoundTrack, movie_header, write_movie

PICTURES = 95


def tracks(size: int) -> tuple[PictureTrack, SoundTrack]:
    pictures = PictureTrack(Size(320, 180), Fraction(30), b"", [size] * PICTURES, range(PICTURES), [0])
    return pictures, SoundTrack(b"\x11\x90", [7] * 149, 148 * 1024)


def offsets(header: bytes, kind: bytes, width: int) -> list[list[int]]:
    """Of the tables of both tracks."""
    found, start = [], 0
    for _ in range(2):
        start = header.index(kind, start) + 8
        count = int.from_bytes(header[start : start + 4])
        start += 4
        found.append([int.from_bytes(header[start + width * i :][:width]) for i in range(count)])
    return found


@pytest.mark.parametrize(("size", "kind", "width"), [(1000, b"stco", 4), (60_000_000, b"co64", 8)])
def test_chunks_lie_one_after_the_other_from_the_end_of_the_header(size: int, kind: bytes, width: int) -> None:
    header = movie_header(*tracks(size))
    shown, heard = offsets(header, kind, width)
    assert shown[0] == len(header)
    assert shown[1] == heard[0] + 23 * 7
    assert heard[0] == shown[0] + 15 * size
    total = PICTURES * size + 149 * 7
    announced = int.from_bytes(header[-8:]) - 16 if kind == b"co64" else int.from_bytes(header[-8:-4]) - 8
    assert announced == total


def test_the_data_follow_their_offsets() -> None:
    pictures, sound = tracks(10)
    data = b"".join(bytes([number]) * 10 for number in range(PICTURES))
    heard = b"".join(bytes([100 + number % 100]) * 7 for number in range(149))
    file = io.BytesIO()
    write_movie(file, pictures, io.BytesIO(data), sound, io.BytesIO(heard))
    written = file.getvalue()
    places, sounds = offsets(written, b"stco", 4)
    assert [written[place] for place in places] == [15 * number for number in range(7)]
    assert [written[place] for place in sounds] == [100 + 375 * number // 16 % 100 for number in range(7)]
    assert len(written) == len(movie_header(pictures, sound)) + len(data) + len(heard)


def test_data_that_end_early_are_an_error() -> None:
    with pytest.raises(EOFError):
        write_movie(io.BytesIO(), *(tracks(10)[0], io.BytesIO(b"x"), None, io.BytesIO()))
