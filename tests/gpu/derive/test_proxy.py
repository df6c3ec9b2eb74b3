"""A proxy shows exactly the frames that it says, and is written for seeking."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from gpu.derive import proxy_writer
from gpu.derive.facts import ProxyFacts
from gpu.derive.proxy import write_proxy
from gpu.render import gates
from gpu.render.errors import MediaFailure
from gpu.render.picture import Plane
from gpu.sample.counter import read_counter
from tests.gpu.derive.sources import shown_on_grid, varying_times, write_colour, write_keyed
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.videos import read_lumas, read_sound, reordered, write_pictures, write_video

IDR = 5
"""Type of the slices of a picture before which nothing is referred to (ITU-T H.264, table 7-1)."""


def proxy(video: Path, out: Path, frames: range | None = None) -> ProxyFacts:
    with video.open("rb") as file:
        return write_proxy(file, out, frames)


def changing_picture(seed: int) -> Plane:
    return np.random.default_rng(seed).integers(16, 235, (64, 96), np.uint8)


@pytest.mark.parametrize(("start", "end"), [(0, 120), (29, 61), (119, 120)])
def test_frame_n_is_the_nth_frame_of_the_range(match: Path, tmp_path: Path, start: int, end: int) -> None:
    facts = proxy(match, tmp_path / "out.mp4", range(start, end))
    assert numbers_in(tmp_path / "out.mp4") == list(range(start, end))
    assert (facts.first_frame, facts.frame_step, facts.frame_count) == (start, 1, end - start)
    assert (facts.fps_num, facts.fps_den) == (30, 1)


def test_without_a_range_it_is_the_whole_source(match: Path, tmp_path: Path) -> None:
    assert proxy(match, tmp_path / "out.mp4").frame_count == 120
    assert numbers_in(tmp_path / "out.mp4") == list(range(120))


def test_a_large_picture_becomes_540_high(tmp_path: Path) -> None:
    video = write_video(tmp_path / "hd.mp4", 6, size=(1280, 720), tags=reordered)
    facts = proxy(video, tmp_path / "out.mp4", range(1, 6))
    assert (facts.width, facts.height) == (960, 540)
    assert numbers_in(tmp_path / "out.mp4", None, (1280, 720)) == list(range(1, 6))


@pytest.mark.parametrize(
    ("rotation", "turns", "size"), [(90, 1, (540, 960)), (180, 2, (960, 540)), (270, 3, (540, 960))]
)
def test_a_turned_source_is_stored_upright(tmp_path: Path, rotation: int, turns: int, size: tuple[int, int]) -> None:
    video = write_video(tmp_path / "turned.mp4", 4, size=(1280, 720), rotation=rotation)
    facts = proxy(video, tmp_path / "out.mp4")
    assert (facts.width, facts.height) == size
    lumas = [np.rot90(luma, turns) for luma in read_lumas(tmp_path / "out.mp4")]
    assert [read_counter(luma, (1280, 720)) for luma in lumas] == list(range(4))


def test_an_odd_size_loses_its_last_row_and_column_and_nothing_moves(tmp_path: Path) -> None:
    """libx264 takes odd sizes only without chroma subsampling. Moved by parts of a pixel, the grain would be lost."""

    def unsampled(context: VideoCodecContext) -> None:
        context.pix_fmt = "yuv444p"

    video = write_video(tmp_path / "odd.mkv", 3, size=(321, 181), tags=unsampled)
    facts = proxy(video, tmp_path / "out.mp4")
    assert (facts.width, facts.height) == (320, 180)
    assert numbers_in(tmp_path / "out.mp4", None, (322, 182)) == [0, 1, 2]
    stored, copied = (read_lumas(path)[0][:180, :320].astype(int) for path in (video, tmp_path / "out.mp4"))
    assert np.abs(stored - copied).mean() < 4.5


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    def anamorphic(context: VideoCodecContext) -> None:
        context.sample_aspect_ratio = Fraction(4, 3)

    facts = proxy(write_video(tmp_path / "hdv.mp4", 3, size=(240, 180), tags=anamorphic), tmp_path / "out.mp4")
    assert (facts.width, facts.height) == (320, 180)
    assert numbers_in(tmp_path / "out.mp4", None, (240, 180)) == [0, 1, 2]


def test_full_range_levels_become_tv_levels(tmp_path: Path) -> None:
    proxy(write_colour(tmp_path / "camera.mp4", 40, 128, 128, full_range=True), tmp_path / "out.mp4")
    assert float(read_lumas(tmp_path / "out.mp4")[0].mean()) == pytest.approx(16 + 40 * 219 / 255, abs=1)


@pytest.mark.parametrize(("start", "end", "numbers"), [(0, 24, range(0, 24, 2)), (3, 12, range(3, 12, 2))])
def test_of_120_frames_a_second_every_other_is_kept(tmp_path: Path, start: int, end: int, numbers: range) -> None:
    video = write_video(tmp_path / "fast.mp4", 24, rate=Fraction(120))
    facts = proxy(video, tmp_path / "out.mp4", range(start, end))
    assert (facts.fps_num, facts.fps_den, facts.frame_step, facts.first_frame) == (60, 1, 2, start)
    assert facts.frame_count == len(numbers)
    assert numbers_in(tmp_path / "out.mp4") == list(numbers)


def test_a_varying_rate_becomes_30_a_second(tmp_path: Path) -> None:
    times = varying_times(50)
    facts = proxy(write_keyed(tmp_path / "phone.mp4", 50, {0}, times=times), tmp_path / "out.mp4", range(4, 50))
    assert (facts.fps_num, facts.fps_den) == (30, 1)
    expected = [shown_on_grid(times, frame) for frame in range(4, 50)]
    assert numbers_in(tmp_path / "out.mp4", None, (160, 90)) == expected


def test_every_15th_frame_and_no_other_is_a_keyframe_of_a_closed_gop(tmp_path: Path) -> None:
    lumas = [changing_picture(number // 11) for number in range(50)]
    proxy(write_pictures(tmp_path / "cuts.mp4", lumas), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 15, 30, 45]
        assert [number for number, packet in enumerate(packets) if IDR in slice_types(bytes(packet))] == [0, 15, 30, 45]
        assert [packet.pts for packet in packets] == [packet.dts for packet in packets]
        assert container.streams.video[0].codec_context.has_b_frames is False


def slice_types(packet: bytes) -> list[int]:
    """Types of the units of a packet, each of which has its length in front (ISO 14496-15)."""
    types, at = [], 0
    while at < len(packet):
        types.append(packet[at + 4] & 31)
        at += 4 + int.from_bytes(packet[at : at + 4])
    return types


def test_it_is_encoded_to_be_decoded_fast(match: Path, tmp_path: Path) -> None:
    proxy(match, tmp_path / "out.mp4", range(2))
    content = (tmp_path / "out.mp4").read_bytes()
    for setting in (b"cabac=0", b"deblock=0", b"bframes=0", b"crf=28.0", b"keyint=15 ", b"subme=2", b"threads=4"):
        assert setting in content, setting


def test_x264_gets_what_makes_it_repeatable(match: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it only some runs differ, and on some machines; here a parameter that can be seen stands for it."""
    monkeypatch.setattr(proxy_writer, "repeatable", lambda: "deadzone-inter=13")
    proxy(match, tmp_path / "out.mp4", range(2))
    assert b"deadzone=13,11" in (tmp_path / "out.mp4").read_bytes()


def test_tags_and_index_first(match: Path, tmp_path: Path) -> None:
    proxy(match, tmp_path / "out.mp4", range(40))
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert container.streams.audio[0].codec_context.name == "aac"
    content = (tmp_path / "out.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_index_of_a_long_proxy_stays_small(tmp_path: Path, match: Path) -> None:
    """A piece of file for each frame and each block of sound would take 4 or 8 bytes more for each."""
    proxy(match, tmp_path / "out.mp4")
    content = (tmp_path / "out.mp4").read_bytes()
    at = content.index(b"stco")
    assert int.from_bytes(content[at + 8 : at + 12]) <= 9


def test_sound_stays_with_the_pictures(match: Path, tmp_path: Path) -> None:
    facts = proxy(match, tmp_path / "out.mp4", range(37, 100))
    assert facts.has_sound
    sound = np.abs(read_sound(tmp_path / "out.mp4"))
    assert np.flatnonzero(sound > 0.1)[0] / 48_000 == pytest.approx((60 - 37) / 30, abs=0.025)
    with av.open(str(tmp_path / "out.mp4")) as container:
        audio = container.streams.audio[0]
        assert audio.duration is not None
        assert audio.time_base is not None
        assert float(audio.duration * audio.time_base) == pytest.approx(63 / 30, abs=1e-3)


def test_without_sound_there_is_no_sound_stream(tmp_path: Path) -> None:
    facts = proxy(write_keyed(tmp_path / "silent.mp4", 5, {0}), tmp_path / "out.mp4")
    assert not facts.has_sound
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_the_facts_are_those_of_the_file(match: Path, tmp_path: Path) -> None:
    facts = proxy(match, tmp_path / "out.mp4", range(31))
    assert facts.size_bytes == (tmp_path / "out.mp4").stat().st_size
    assert facts.duration_ms == 1033
    assert ProxyFacts.model_validate_json(facts.model_dump_json()) == facts


@pytest.mark.parametrize("frames", [range(121), range(-1, 10), range(5, 5), range(120, 121)])
def test_frames_that_the_source_does_not_have_are_refused(match: Path, tmp_path: Path, frames: range) -> None:
    with pytest.raises(MediaFailure, match=r"not a part of the video's 120") as refused:
        proxy(match, tmp_path / "out.mp4", frames)
    assert refused.value.code == "bad_spec"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda file: replace(file, width=318), "it is 318 x 180, planned 320 x 180"),
        (lambda file: replace(file, timestamps=file.timestamps[:-1]), "it has 9 frames, planned 10"),
        (lambda file: replace(file, timestamps=tuple(at * 2 for at in file.timestamps)), "not evenly spaced"),
        (lambda file: replace(file, audio_seconds=None), "it has no sound"),
        (lambda file: replace(file, index_first=False), "its index is not at the front"),
    ],
)
def test_a_file_that_is_not_what_was_planned_is_not_published(
    match: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[gates.Measured], gates.Measured],
    fault: str,
) -> None:
    measure = gates.measure
    monkeypatch.setattr(gates, "measure", lambda path: change(measure(path)))
    with pytest.raises(MediaFailure, match=fault) as failed:
        proxy(match, tmp_path / "out.mp4", range(10))
    assert failed.value.code == "internal"
    assert list(tmp_path.iterdir()) == []
