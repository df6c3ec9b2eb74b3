"""The frame counter proves that no frame is repeated, lost or out of place."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from gpu.plan.spec import EditSpec
from gpu.render import timing
from gpu.render.media import open_media
from gpu.render.produce import probe_file
from gpu.sample.counter import read_counter
from tests.gpu.render.rendering import numbers_in, panning, plan_of, render
from tests.gpu.render.videos import HEIGHT, SIZE, WIDTH, Tags, read_lumas, reordered, write_video, write_with_sound

LAST = 120


@pytest.mark.parametrize(("start", "end"), [(0, 12), (29, 31), (30, 42), (61, 62), (117, LAST), (0, LAST)])
def test_an_extraction_has_exactly_its_frames(match: Path, tmp_path: Path, start: int, end: int) -> None:
    result = render(match, EditSpec.of_clip(in_frame=start, out_frame=end), tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4") == list(range(start, end))
    assert result.frame_count == end - start
    assert (result.width, result.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(("start", "end"), [(7, 40), (59, 61), (90, LAST)])
def test_a_framing_has_exactly_its_frames(match: Path, tmp_path: Path, start: int, end: int) -> None:
    spec = panning(start, end)
    render(match, spec, tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4", list(plan_of(match, spec).clips[0].crops)) == list(range(start, end))


def test_ntsc_rate_is_kept_exactly(ntsc: Path, tmp_path: Path) -> None:
    result = render(ntsc, EditSpec.of_clip(in_frame=31, out_frame=80), tmp_path / "out.mp4")
    assert (result.fps_num, result.fps_den) == (30000, 1001)
    assert numbers_in(tmp_path / "out.mp4") == list(range(31, 80))


@pytest.mark.parametrize("name", ["match.mp4", "match.mkv", "match.ts", "match.mov", "fragmented.mp4"])
def test_every_container_is_exact_with_pictures_out_of_order(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "_SAMPLE_PACKETS", 40)
    options = {"movflags": "+frag_keyframe+empty_moov"} if name == "fragmented.mp4" else None
    video = write_video(tmp_path / name, 75, options=options, tags=reordered)
    whole = plan_of(video, EditSpec.of_clip(in_frame=0, out_frame=75))
    assert (whole.frame_count, whole.fps_num, whole.fps_den) == (75, 30, 1)
    for start, end in ((44, 75), (28, 33)):
        render(video, EditSpec.of_clip(in_frame=start, out_frame=end), tmp_path / "out.mp4")
        assert numbers_in(tmp_path / "out.mp4") == list(range(start, end))


def test_a_transport_stream_that_starts_late_counts_from_its_first_picture(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "match.ts", 60)
    with video.open("rb") as file, open_media(file) as media:
        assert media.zero > 0
    render(video, EditSpec.of_clip(in_frame=5, out_frame=50), tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4") == list(range(5, 50))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_recording_comes_out_upright(tmp_path: Path, rotation: int) -> None:
    video = write_video(tmp_path / "turned.mp4", 40, rotation=rotation)
    result = render(video, EditSpec.of_clip(in_frame=3, out_frame=20), tmp_path / "out.mp4")
    assert (result.width, result.height) == ((HEIGHT, WIDTH) if rotation != 180 else (WIDTH, HEIGHT))
    stored = [np.rot90(luma, rotation // 90) for luma in read_lumas(tmp_path / "out.mp4")]
    assert [read_counter(luma, SIZE) for luma in stored] == list(range(3, 20))


def test_avi_is_exact(tmp_path: Path) -> None:
    video = write_with_sound(tmp_path / "match.avi", 50, "libmp3lame")
    for start, end in ((0, 9), (40, 50)):
        render(video, EditSpec.of_clip(in_frame=start, out_frame=end), tmp_path / "out.mp4")
        assert numbers_in(tmp_path / "out.mp4") == list(range(start, end))


def test_odd_sizes_lose_their_last_column_and_row(tmp_path: Path) -> None:
    video = write_video(tmp_path / "odd.mkv", 20, size=(321, 181), tags=_as_yuv444)
    result = render(video, EditSpec.of_clip(in_frame=2, out_frame=20), tmp_path / "out.mp4")
    assert (result.width, result.height) == (320, 180)
    assert numbers_in(tmp_path / "out.mp4", None, (322, 182)) == list(range(2, 20))


@pytest.mark.parametrize("tags", [None, reordered], ids=["in order", "out of order"])
def test_a_variable_rate_is_put_on_the_nearest_frames_of_30_a_second(tmp_path: Path, tags: Tags | None) -> None:
    steps = [Fraction(milliseconds, 1000) for milliseconds in (33, 17, 50, 33, 70, 12, 33, 41)]
    times = [sum((steps[index % 8] for index in range(number)), Fraction(0)) for number in range(50)]
    video = write_video(tmp_path / "phone.mp4", 50, times=times, tags=tags)
    slots = [int(shown * 30 + Fraction(1, 2)) for shown in times]
    with video.open("rb") as file:
        info = probe_file(file)
    assert (info.fps_num, info.fps_den, info.frame_count) == (30, 1, slots[-1] + 1)
    render(video, EditSpec.of_clip(in_frame=4, out_frame=info.frame_count), tmp_path / "out.mp4")
    expected = [
        max(number for number, slot in enumerate(slots) if slot <= frame) for frame in range(4, info.frame_count)
    ]
    assert numbers_in(tmp_path / "out.mp4") == expected


def _as_yuv444(context: VideoCodecContext) -> None:
    """libx264 takes odd sizes only without chroma subsampling."""
    context.pix_fmt = "yuv444p"
