"""Every kind of recording comes out with its frames, its size, its colours and the tags of bt709."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gpu.plan.geometry import Rect
from gpu.plan.spec import EditSpec
from gpu.render.picture import Plane, planes
from gpu.render.produce import probe_file
from tests.gpu.render.rendering import numbers_in, render
from tests.gpu.render.videos import SIZE, paintings, write_with_ffmpeg

NTSC = Fraction(1000, 1001)
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12")
PLAIN = (*H264, "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "10", "-x265-params", "log-level=error:pools=2")
SURROUND = "aevalsrc=0.1|0.1|0.1|0|0.1|0.1:c=5.1:d=1"
BLOCK = 8


@dataclass(frozen=True)
class Kind:
    """How a recording is written, from paintings of `size`, and what it is probed to be."""

    file: str
    arguments: Sequence[str]
    rate: Fraction = Fraction(30)
    size: tuple[int, int] = SIZE
    shown: tuple[int, int] | None = None
    sound: str | None = None
    frames: int = 30
    pixel_format: str = "yuv420p"


KINDS = {
    "23.976": Kind("a.mp4", PLAIN, 24 * NTSC),
    "25": Kind("a.mp4", PLAIN, Fraction(25)),
    "29.97": Kind("a.mkv", PLAIN, 30 * NTSC),
    "50": Kind("a.ts", PLAIN, Fraction(50)),
    "59.94": Kind("a.mp4", PLAIN, 60 * NTSC),
    "60": Kind("a.mov", PLAIN, Fraction(60)),
    "120": Kind("a.mp4", PLAIN, Fraction(120)),
    "fragmented": Kind("a.mp4", (*PLAIN, "-g", "10", "-movflags", "+frag_keyframe+empty_moov+default_base_moof")),
    "index at the end": Kind("a.mp4", (*PLAIN, "-g", "10")),
    "index at the front": Kind("a.mp4", (*PLAIN, "-g", "10", "-movflags", "+faststart")),
    "no sound": Kind("a.mp4", PLAIN),
    "mono": Kind("a.mp4", (*PLAIN, "-c:a", "aac"), sound="sine=f=500:r=48000:d=1"),
    "44.1 kHz": Kind("a.mov", (*PLAIN, "-c:a", "pcm_s16le"), sound="sine=f=500:r=44100:d=1"),
    "5.1": Kind("a.ts", (*PLAIN, "-c:a", "ac3"), sound=SURROUND),
    "H.264 of 10 bits": Kind("a.mp4", (*H264, "-pix_fmt", "yuv420p10le"), pixel_format="yuv420p10le"),
    "HEVC of 10 bits": Kind("a.mp4", (*HEVC, "-pix_fmt", "yuv420p10le"), pixel_format="yuv420p10le"),
    "ProRes 4:2:2": Kind("a.mov", ("-c:v", "prores_ks", "-profile:v", "hq"), pixel_format="yuv422p10le"),
    "ProRes 4:4:4": Kind(
        "a.mov", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuv444p10le"), pixel_format="yuv444p12le"
    ),
    "full range": Kind("a.mp4", (*H264, "-vf", "zscale=r=full,format=yuvj420p"), pixel_format="yuvj420p"),
    "bt601": Kind("a.mp4", (*PLAIN, "-vf", "zscale=m=170m:f=bilinear")),
    "odd size": Kind("a.mkv", (*H264, "-pix_fmt", "yuv444p"), size=(321, 181), pixel_format="yuv444p"),
    "wide pixels": Kind("a.mp4", (*PLAIN, "-vf", "setsar=4/3"), size=(240, 180), shown=(320, 180)),
    "VP9": Kind("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "4M")),
    "AV1": Kind("a.mp4", ("-c:v", "libsvtav1", "-preset", "12", "-crf", "20", "-svtav1-params", "lp=2")),
    "MPEG-2": Kind("a.ts", ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"), Fraction(25)),
    "4K": Kind("a.mp4", (*PLAIN, "-vf", "scale=3840:2160:flags=neighbor"), shown=(3840, 2160), frames=6),
}


def write(kind: Kind, folder: Path) -> Path:
    sound = ("-f", "lavfi", "-i", kind.sound) if kind.sound else ()
    pictures = paintings(kind.frames, kind.size, kind.rate)
    return write_with_ffmpeg(folder / kind.file, pictures, kind.arguments, size=kind.size, rate=kind.rate, inputs=sound)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_rendered_exactly(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    video = write(kind, tmp_path)
    with video.open("rb") as file:
        info = probe_file(file)
    shown = kind.shown or kind.size
    assert (Fraction(info.fps_num, info.fps_den), info.frame_count) == (kind.rate, kind.frames)
    assert (info.width, info.height, info.pixel_format) == (*shown, kind.pixel_format)
    assert (info.audio_codec is None) == (kind.sound is None)
    assert (info.interlaced, info.transfer, info.variable_frame_rate) == (False, "sdr", False)

    crop = three_quarters(shown)
    out, first, last = tmp_path / "out.mp4", 2, kind.frames - 1
    result = render(video, framing(first, last, crop), out)
    assert (result.frame_count, result.width, result.height) == (last - first, 320, 180)
    assert (result.fps_num, result.fps_den) == (info.fps_num, info.fps_den)
    assert (result.audio_duration_ms is None) == (kind.sound is None)
    painted = three_quarters(kind.size)
    assert numbers_in(out, [painted] * (last - first), kind.size) == list(range(first, last))
    assert_tagged(out)
    assert_colours(out, paintings(first + 1, kind.size, kind.rate)[first], painted)


def three_quarters(size: tuple[int, int]) -> Rect:
    """Of width and height, with the upper left corner and a whole counter."""
    return Rect(0, 0, size[0] * 3 / 4, size[1] * 3 / 4)


def framing(first: int, last: int, crop: Rect) -> EditSpec:
    keyframe = {"frame": 0, "x": crop.x, "y": crop.y, "width": crop.width, "height": crop.height}
    size = {"width": 320, "height": 180}
    return EditSpec.model_validate({"in_frame": first, "out_frame": last, "crop_keyframes": [keyframe], "size": size})


def assert_tagged(video: Path) -> None:
    with av.open(str(video)) as container:
        context = container.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p"
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
    content = video.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def assert_colours(video: Path, painted: av.VideoFrame, crop: Rect) -> None:
    """The first picture against the crop of the one that was painted, block by block."""
    with av.open(str(video)) as container:
        drawn = planes(next(container.decode(video=0)))
    for step, got, source in zip((1, 2, 2), drawn, planes(painted), strict=True):
        part = source[: round(crop.height / step), : round(crop.width / step)]
        differences = np.abs(blocks(got) - blocks(np.asarray(cv2.resize(part, got.shape[::-1]), np.uint8)))
        assert differences.mean() < 1.0
        assert np.percentile(differences, 99) < 8


def blocks(plane: Plane) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    size = (plane.shape[1] // BLOCK, plane.shape[0] // BLOCK)
    return np.asarray(cv2.resize(plane.astype(np.float64), size, interpolation=cv2.INTER_AREA), np.float64)
