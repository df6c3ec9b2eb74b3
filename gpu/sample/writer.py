"""Writes the match as MP4: ultrafast H.264 with bt709 tags and AAC sound, a beep whenever the flash is on."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE, planes
from gpu.sample.scene import FLASH_FRAMES, SEED, Scene

SAMPLE_RATE = 48_000
BEEP_HERTZ = 1000
_THREADS = 4
_CRF = 20


def write_sample(
    path: Path, seconds: float = 30, *, width: int = 1920, height: int = 1080, rate: Fraction = Fraction(30)
) -> int:
    """Writes the file and returns its number of frames."""
    frame_count = round(seconds * rate)
    scene = Scene(width, height, float(rate))
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        video = add_video(container, width, height, rate)
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        written = 0
        for number in range(frame_count):
            picture = paint(scene, number, width, height)
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(video.encode(picture))
            end = int((number + 1) / rate * SAMPLE_RATE)
            _add_sound(container, audio, written, beeps(written, end - written, rate))
            written = end
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return frame_count


def add_video(container: OutputContainer, width: int, height: int, rate: Fraction) -> VideoStream:
    """An ultrafast H.264 stream with the tags of a camera."""
    stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": str(_CRF)})
    stream.width, stream.height, stream.pix_fmt = width, height, PIXEL_FORMAT
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = TV_RANGE
    context.gop_size = round(rate)
    context.thread_count, context.thread_type = _THREADS, "FRAME"
    return stream


def paint(scene: Scene, number: int, width: int, height: int) -> VideoFrame:
    """Frame `number` of the scene as a picture, cut to an odd size if that is asked for."""
    picture = VideoFrame(width, height, PIXEL_FORMAT)
    for plane, drawn in zip(planes(picture), scene.draw(number), strict=True):
        np.copyto(plane, drawn[: plane.shape[0], : plane.shape[1]])
    return picture


def beeps(start: int, count: int, rate: Fraction) -> npt.NDArray[np.float32]:
    """`count` samples from sample `start` on: the murmur of a crowd, and a tone as long as the flash every second."""
    at = np.arange(start, start + count)
    murmur = np.random.default_rng((SEED, start)).normal(0, 0.004, count)
    length = round(FLASH_FRAMES / rate * SAMPLE_RATE)
    tone = np.where(at % SAMPLE_RATE < length, 0.4 * np.sin(2 * np.pi * BEEP_HERTZ * at / SAMPLE_RATE), 0)
    return (murmur + tone).astype(np.float32)


def _add_sound(container: OutputContainer, audio: AudioStream, start: int, samples: npt.NDArray[np.float32]) -> None:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    container.mux(audio.encode(frame))
