"""Turned and mirrored recordings, against what the ffmpeg program shows of them."""

import subprocess
from itertools import product
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from gpu.render.media import open_media
from gpu.render.picture import Plane, planes
from gpu.sample.writer import add_video
from tests.gpu.render.videos import RATE, SIZE, paintings

FLIPS = {"as it is": (False, False), "left-right": (True, False), "top-bottom": (False, True), "both": (True, True)}


def write(path: Path, rotation: int, flips: tuple[bool, bool]) -> Path:
    with av.open(str(path), "w") as container:
        stream = add_video(container, *SIZE, RATE)
        stream.set_display_rotation(-rotation, hflip=flips[0], vflip=flips[1])
        for number, picture in enumerate(paintings(2)):
            picture.pts, picture.time_base = number, 1 / RATE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def shown_by_ffmpeg(path: Path, width: int, height: int) -> Plane:
    """The Y plane of the first picture, as a player shows it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8)[: width * height].reshape(height, width)


@pytest.mark.parametrize(("rotation", "flip"), [*product((0, 90, 180, 270), FLIPS)])
def test_mirroring_and_then_turning_gives_the_picture_as_shown(tmp_path: Path, rotation: int, flip: str) -> None:
    video = write(tmp_path / "phone.mp4", rotation, FLIPS[flip])
    with video.open("rb") as file, open_media(file) as media:
        assert media.mirrored == (flip in ("left-right", "top-bottom"))
        stored = planes(media.first).y
        mirrored = stored[:, ::-1] if media.mirrored else stored
        clockwise = np.rot90(mirrored, -media.rotation // 90)
        assert media.display_size == clockwise.shape[::-1]
        np.testing.assert_array_equal(clockwise, shown_by_ffmpeg(video, *media.display_size))


def test_a_recording_without_a_matrix_is_shown_as_it_is(match: Path) -> None:
    with match.open("rb") as file, open_media(file) as media:
        assert (media.rotation, media.mirrored) == (0, False)
