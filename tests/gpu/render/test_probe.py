"""What a probe says of a video, and how it refuses what is none."""

import io
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gpu.contract import ErrorCode
from gpu.plan.spec import ProbeInfo
from gpu.render.errors import MediaFailure
from gpu.render.picture import normalised
from gpu.render.produce import probe_file
from tests.gpu.render.videos import HEIGHT, WIDTH, write_sound_only, write_video, write_with_sound


def probe(path: Path) -> ProbeInfo:
    with path.open("rb") as file:
        return probe_file(file)


def refusal(content: bytes) -> MediaFailure:
    with pytest.raises(MediaFailure) as refused:
        probe_file(io.BytesIO(content))
    return refused.value


def test_the_facts_of_a_recording(match: Path) -> None:
    assert probe(match) == ProbeInfo(
        width=WIDTH,
        height=HEIGHT,
        rotation=0,
        fps_num=30,
        fps_den=1,
        frame_count=120,
        duration_ms=4000,
        video_codec="h264",
        pixel_format="yuv420p",
        audio_codec="aac",
        audio_sample_rate=48000,
        audio_channels=1,
        gop_ms=1000,
    )


def test_ntsc_rate_is_exact(ntsc: Path) -> None:
    info = probe(ntsc)
    assert (info.fps_num, info.fps_den, info.frame_count, info.duration_ms) == (30000, 1001, 90, 3003)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_size_is_told_as_it_is_shown(tmp_path: Path, rotation: int) -> None:
    info = probe(write_video(tmp_path / "turned.mp4", 5, rotation=rotation))
    assert info.rotation == rotation
    assert (info.width, info.height) == ((HEIGHT, WIDTH) if rotation != 180 else (WIDTH, HEIGHT))


def test_pixels_that_are_not_square_are_counted_as_shown(tmp_path: Path) -> None:
    def anamorphic(context: VideoCodecContext) -> None:
        context.sample_aspect_ratio = Fraction(4, 3)

    info = probe(write_video(tmp_path / "hdv.mp4", 5, size=(240, 180), tags=anamorphic))
    assert (info.width, info.height) == (320, 180)


def test_a_varying_rate_gets_a_grid_of_30(tmp_path: Path) -> None:
    times = [Fraction(number, 30) if number % 3 else Fraction(4 * number + 1, 120) for number in range(31)]
    info = probe(write_video(tmp_path / "phone.mp4", 31, times=[0 * times[0], *[t + 1 for t in times[1:]]]))
    assert info.variable_frame_rate
    assert (info.fps_num, info.fps_den) == (30, 1)
    assert info.frame_count == 61


@pytest.mark.parametrize(("name", "audio"), [("match.mkv", "opus"), ("match.ts", "mp2"), ("match.avi", "mp3")])
def test_other_containers(tmp_path: Path, name: str, audio: str) -> None:
    codec = {"opus": "libopus", "mp3": "libmp3lame"}.get(audio, audio)
    info = probe(write_with_sound(tmp_path / name, 45, codec))
    assert (info.frame_count, info.fps_num, info.fps_den, info.audio_codec) == (45, 30, 1, audio)


def test_a_recording_without_sound(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "silent.mp4", 5))
    assert (info.audio_codec, info.audio_sample_rate, info.audio_channels) == (None, None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text, and a good deal of it " * 500,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x00\x00\x00\x18ftypmp42" + bytes(4000),
        cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes(),
        b"\xff\xd8\xff\xe0" + bytes(3000),
    ],
    ids=["empty", "text", "hls", "concat", "hollow-mp4", "png", "jpeg-head"],
)
def test_what_is_no_video_is_refused(content: bytes) -> None:
    assert refusal(content).code == "not_a_video"


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    failure = refusal(write_sound_only(tmp_path / "song.m4a").read_bytes())
    assert (failure.code, failure.message) == ("not_a_video", "the file has no video in it")


@pytest.mark.parametrize(("fast_start", "code"), [(False, "not_a_video"), (True, "unsupported_media")])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, fast_start: bool, code: ErrorCode) -> None:
    options = {"movflags": "+faststart"} if fast_start else {}
    whole = write_video(tmp_path / "whole.mp4", 60, options=options).read_bytes()
    assert refusal(whole[: len(whole) * 2 // 3]).code == code


@pytest.mark.parametrize("missing", [1, 40])
def test_a_file_whose_index_is_cut_off_is_refused(tmp_path: Path, missing: int) -> None:
    failure = refusal(write_with_sound(tmp_path / "match.mp4", 30, "aac").read_bytes()[:-missing])
    assert (failure.code, "incomplete" in failure.message) == ("unsupported_media", True)


def test_a_file_cut_off_before_its_sound_is_not_taken_for_a_silent_one(tmp_path: Path) -> None:
    whole = write_with_sound(tmp_path / "match.mp4", 30, "aac").read_bytes()
    assert "incomplete" in refusal(whole[: whole.rindex(b"trak") + 40]).message


def test_a_live_recording_that_broke_off_plays_up_to_there(tmp_path: Path) -> None:
    options = {"movflags": "+frag_keyframe+empty_moov"}
    whole = write_video(tmp_path / "live.mp4", 90, options=options).read_bytes()
    assert 30 <= probe_file(io.BytesIO(whole[: whole.rindex(b"mdat") + 400])).frame_count < 90


@pytest.mark.parametrize(("size", "matrix"), [((640, 360), 5), ((360, 640), 5), ((720, 1280), 1), ((640, 640), 1)])
def test_an_untagged_picture_of_sd_size_has_sd_colours_upright_too(size: tuple[int, int], matrix: int) -> None:
    untagged, tagged = (VideoFrame(*size, "yuv420p") for _ in range(2))
    for frame in (untagged, tagged):
        for plane, code in zip(frame.planes, (120, 90, 200), strict=True):
            plane.update(bytes([code]) * plane.buffer_size)
    tagged.colorspace = matrix
    assert np.array_equal(normalised(untagged).to_ndarray(), normalised(tagged).to_ndarray())


def test_damage_in_the_middle_never_crashes(match: Path) -> None:
    whole = match.read_bytes()
    generator = np.random.default_rng(7)
    for _ in range(12):
        damaged = bytearray(whole)
        start = int(generator.integers(0, len(whole) - 2000))
        damaged[start : start + 2000] = generator.bytes(2000)
        with suppress(MediaFailure):
            probe_file(io.BytesIO(bytes(damaged)))


@pytest.mark.parametrize(("number", "transfer"), [(1, "sdr"), (14, "sdr"), (16, "pq"), (18, "hlg")])
def test_the_light_curve_is_told(tmp_path: Path, number: int, transfer: str) -> None:
    def curve(context: VideoCodecContext) -> None:
        context.color_trc = number

    assert probe(write_video(tmp_path / "phone.mp4", 5, tags=curve)).transfer == transfer


def test_a_frame_rate_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    video = write_video(tmp_path / "slow-motion.mp4", 30, rate=Fraction(240))
    assert "240 frames a second" in refusal(video.read_bytes()).message


def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    video = write_video(tmp_path / "wide.mp4", 1, size=(8320, 64))
    assert "8320 x 64" in refusal(video.read_bytes()).message
