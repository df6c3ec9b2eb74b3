"""Cuts in one line, and reads what came out with both decoders."""

import io
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import imageio_ffmpeg
import numpy as np
import pytest

from gpu.render.smart.cut import SmartCut, smart_cut
from gpu.render.smart.reason import NotCopyable, Reason
from tests.gpu.render.videos import HEIGHT, WIDTH

_BYTES = WIDTH * HEIGHT * 3 // 2


class Decoded(NamedTuple):
    """Pictures as bytes of Y, U and V, and when they are shown."""

    pictures: list[bytes]
    seconds: list[Fraction]


def cut(video: Path, start: int, end: int, out: Path, *, with_sound: bool = True) -> SmartCut:
    with video.open("rb") as file:
        return smart_cut(file, start, end, out, lambda frames: None, with_sound=with_sound)


def refused(video: Path, start: int, end: int, out: Path) -> Reason:
    """The reason against copying; the file must not be there."""
    with pytest.raises(NotCopyable) as error:
        cut(video, start, end, out)
    assert list(out.parent.glob(out.name)) == []
    assert str(error.value) == error.value.reason.sentence
    return error.value.reason


def decoded(video: Path) -> Decoded:
    """By PyAV."""
    pictures, seconds = [], []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            pictures.append(frame.to_ndarray().tobytes())
            seconds.append(frame.pts * frame.time_base)
    return Decoded(pictures, seconds)


def decoded_by_ffmpeg(video: Path) -> list[bytes]:
    """By the binary, which must find nothing to complain about and repeats or drops by the timestamps."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-i", str(video), "-map", "0:v", "-fps_mode", "cfr"]
    run = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], capture_output=True, check=True)
    assert run.stderr.decode() == ""
    raw = io.BytesIO(run.stdout)
    return list(iter(lambda: raw.read(_BYTES), b""))


def luma(picture: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    return np.frombuffer(picture, np.uint8)[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
