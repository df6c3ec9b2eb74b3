"""Small videos of every kind that the tests need; each frame carries its number.

PyAV writes most, the ffmpeg program what PyAV's libraries cannot: it is another build and another version.
"""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gpu.render.picture import Plane, planes
from gpu.sample.scene import Scene
from gpu.sample.writer import add_video, beeps, paint

WIDTH, HEIGHT = 320, 180
SIZE = (WIDTH, HEIGHT)
RATE = Fraction(30)
Tags = Callable[[VideoCodecContext], None]
"""Changes the encoder's settings before the first picture."""


def write_video(
    path: Path,
    frame_count: int = 60,
    *,
    size: tuple[int, int] = SIZE,
    rate: Fraction = RATE,
    times: Sequence[Fraction] | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    tags: Tags | None = None,
) -> Path:
    """A silent recording. `times` are the seconds at which the frames are shown; `rotation` is clockwise."""
    scene = Scene(*size, float(rate))
    with av.open(str(path), "w", options=options or {}) as container:
        stream = add_video(container, *size, rate)
        stream.codec_context.time_base = Fraction(1, 90_000)
        if rotation:
            stream.set_display_rotation(-rotation)
        if tags is not None:
            tags(stream.codec_context)
        for number in range(frame_count):
            picture = paint(scene, number, *size)
            shown = times[number] if times else number / rate
            picture.pts, picture.time_base = round(shown * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_with_ffmpeg(
    path: Path,
    pictures: Iterable[VideoFrame],
    arguments: Sequence[str],
    *,
    size: tuple[int, int] = SIZE,
    rate: Fraction = RATE,
    inputs: Sequence[str] = (),
) -> Path:
    """Encodes yuv420p pictures, which are bt709; `arguments` say how, `inputs` name sound for example."""
    tags = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{size[0]}x{size[1]}", "-framerate", str(rate))
    program = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y")
    command = [*program, *raw, *tags, "-i", "-", *inputs, "-threads", "2", *arguments, str(path)]
    stored = b"".join(plane.tobytes() for picture in pictures for plane in planes(picture))
    done = subprocess.run(command, input=stored, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return path


def paintings(frame_count: int, size: tuple[int, int] = SIZE, rate: Fraction = RATE) -> list[VideoFrame]:
    scene = Scene(*size, float(rate))
    return [paint(scene, number, *size) for number in range(frame_count)]


def write_with_sound(
    path: Path,
    frame_count: int,
    codec: str = "aac",
    rate: int = 48_000,
    layout: str = "mono",
    sound_seconds: int = 99,
) -> Path:
    """A recording with the beeps of the sample, in whatever container the name asks for."""
    scene = Scene(WIDTH, HEIGHT, float(RATE))
    with av.open(str(path), "w") as container:
        video = add_video(container, WIDTH, HEIGHT, RATE)
        audio = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(audio, AudioStream)
        for number in range(frame_count):
            picture = paint(scene, number, WIDTH, HEIGHT)
            picture.pts, picture.time_base = number, 1 / RATE
            container.mux(video.encode(picture))
            if number % RATE == 0 and number < sound_seconds * RATE:
                _add_second_of_sound(container, audio, int(number / RATE), layout)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def write_sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=48_000, layout="mono")
        _add_second_of_sound(container, audio, 0, "mono")
        container.mux(audio.encode(None))
    return path


def write_pictures(path: Path, lumas: Sequence[Plane], crf: int = 10) -> Path:
    """Grey pictures at 30 frames a second."""
    height, width = lumas[0].shape
    with av.open(str(path), "w") as container:
        stream = add_video(container, width, height, RATE)
        stream.options = {"preset": "ultrafast", "crf": str(crf)}
        for number, luma in enumerate(lumas):
            picture = VideoFrame(width, height, "yuv420p")
            y, u, v = planes(picture)
            np.copyto(y, luma)
            u[:] = v[:] = 128
            picture.pts, picture.time_base = number, 1 / RATE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def reordered(context: VideoCodecContext) -> None:
    """`tags` for pictures that are decoded in another order than shown, as cameras write them."""
    context.max_b_frames = 3


def read_lumas(path: Path) -> list[Plane]:
    """The Y planes of every frame, of the pictures as they are stored."""
    with av.open(str(path)) as container:
        return [planes(frame).y.copy() for frame in container.decode(video=0)]


def read_sound(path: Path) -> Plane:
    """The first channel, from time 0 on."""
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(parts)


def _add_second_of_sound(container: OutputContainer, audio: AudioStream, second: int, layout: str) -> None:
    rate = audio.rate
    samples = np.interp(np.arange(rate) / rate, np.arange(48_000) / 48_000, beeps(second * 48_000, 48_000, RATE))
    channels = np.broadcast_to(samples.astype(np.float32), (2 if layout == "stereo" else 1, rate))
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, second * rate, Fraction(1, rate)
    container.mux(audio.encode(frame))
