"""What every rendered file keeps: tags, index first, sound, size; and the same bytes each time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from gpu.plan.spec import EditSpec, OutputSize
from gpu.render.gates import measure
from tests.gpu.render.rendering import panning, render
from tests.gpu.render.videos import read_lumas, write_pictures, write_video


def test_tags_index_and_pixel_format(match: Path, tmp_path: Path) -> None:
    render(match, panning(0, 30), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
    content = (tmp_path / "out.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_same_edit_writes_the_same_bytes(match: Path, tmp_path: Path) -> None:
    spec = panning(5, 65).model_copy(update={"size": OutputSize(width=960, height=540)})
    results = [render(match, spec, tmp_path / f"{number}.mp4") for number in range(3)]
    assert len({result.sha256 for result in results}) == 1
    assert len({(tmp_path / f"{number}.mp4").read_bytes() for number in range(3)}) == 1


def test_the_result_is_measured_from_the_file(ntsc: Path, tmp_path: Path) -> None:
    result = render(ntsc, EditSpec.of_clip(in_frame=0, out_frame=60), tmp_path / "out.mp4")
    assert (result.frame_count, result.duration_ms, result.audio_duration_ms) == (60, 2002, 2002)
    assert result.size_bytes == (tmp_path / "out.mp4").stat().st_size
    assert result.engine == "pyav-3"


def test_keyframes_come_every_two_seconds_for_seeking(match: Path, tmp_path: Path) -> None:
    render(match, EditSpec.of_clip(in_frame=0, out_frame=120), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        keys = [
            packet.pts * packet.time_base
            for packet in container.demux(video=0)
            if packet.is_keyframe and packet.pts is not None
        ]
    assert keys == [0, 2]


def test_without_sound_there_is_no_sound_stream(match: Path, tmp_path: Path) -> None:
    result = render(match, EditSpec.of_clip(in_frame=0, out_frame=10, audio=False), tmp_path / "out.mp4")
    assert result.audio_duration_ms is None
    assert measure(tmp_path / "out.mp4").audio_seconds is None


def test_a_single_frame_is_a_video_too(match: Path, tmp_path: Path) -> None:
    result = render(match, EditSpec.of_clip(in_frame=119, out_frame=120), tmp_path / "out.mp4")
    assert (result.frame_count, result.duration_ms, result.audio_duration_ms) == (1, 33, 33)


def test_full_range_levels_become_tv_levels(tmp_path: Path) -> None:
    def full_range(context: VideoCodecContext) -> None:
        context.pix_fmt, context.color_range = "yuvj420p", 2

    video = write_video(tmp_path / "camera.mp4", 5, tags=full_range)
    render(video, EditSpec.of_clip(in_frame=0, out_frame=5), tmp_path / "out.mp4")
    before, after = (float(read_lumas(path)[0][60:].mean()) for path in (video, tmp_path / "out.mp4"))
    assert after == pytest.approx(16 + before * 219 / 255, abs=1.5)


def test_a_large_reduction_does_not_alias(tmp_path: Path) -> None:
    """A fine checkerboard, reduced four times, is grey; sampled without averaging it would be black or white."""
    board = np.where((np.arange(640)[:, None] + np.arange(640)[None, :]) % 2, 225, 25).astype(np.uint8)
    video = write_pictures(tmp_path / "board.mp4", [board] * 3, crf=4)
    render(
        video, EditSpec.of_clip(in_frame=0, out_frame=3, size=OutputSize(width=160, height=160)), tmp_path / "out.mp4"
    )
    assert np.abs(read_lumas(tmp_path / "out.mp4")[1].astype(float) - 125).max() < 8


def test_rate_of_the_output_is_that_of_the_source(tmp_path: Path) -> None:
    video = write_video(tmp_path / "pal.mp4", 10, rate=Fraction(50))
    result = render(video, EditSpec.of_clip(in_frame=0, out_frame=10), tmp_path / "out.mp4")
    assert (result.fps_num, result.fps_den, result.duration_ms) == (50, 1, 200)
