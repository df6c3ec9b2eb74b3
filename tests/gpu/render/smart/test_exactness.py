"""Every frame is there once and in its place, and the copied ones are the source's own, in both decoders."""

import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest

from gpu.plan.spec import EditSpec
from gpu.render import gates
from gpu.render.media import open_media
from gpu.render.smart.parameters import read_record
from gpu.sample.counter import read_counter
from tests.gpu.render.rendering import plan_of
from tests.gpu.render.smart.conftest import Sources
from tests.gpu.render.smart.cutting import cut, decoded, decoded_by_ffmpeg, luma
from tests.gpu.render.smart.sources import FRAMES, GOP, WRITTEN, encoded, without_usability_information
from tests.gpu.render.videos import SIZE, write_video

ENDS = [
    (GOP, 2 * GOP),
    (GOP - 1, 2 * GOP + 1),
    (GOP + 1, 3 * GOP - 1),
    (7, 88),
    (0, FRAMES),
    (0, 10),
    (48, 51),
    (13, FRAMES),
]


@pytest.mark.parametrize("name", WRITTEN)
def test_the_clip_has_exactly_its_frames_and_the_copied_ones_are_the_sources_own(
    sources: Sources, tmp_path: Path, name: str
) -> None:
    whole = sources.decoded(name).pictures
    for start, end in ENDS:
        out = tmp_path / "out.mp4"
        done = cut(sources.video(name), start, end, out)
        pictures, seconds = decoded(out)
        assert [read_counter(luma(one), SIZE) for one in pictures] == list(range(start, end))
        assert seconds == [Fraction(number, 30) for number in range(end - start)]
        assert decoded_by_ffmpeg(out) == pictures
        copied = slice(done.first_copied - start, done.copied_end - start)
        assert pictures[copied] == whole[done.first_copied : done.copied_end]
        assert (done.frames_copied, done.frames_copied + done.frames_encoded) == (
            done.copied_end - done.first_copied,
            end - start,
        )
        gates.check(gates.measure(out), plan_of(sources.video(name), EditSpec.of_clip(start, end)))


def test_only_what_lies_outside_whole_closed_gops_is_encoded(sources: Sources, tmp_path: Path) -> None:
    done = cut(sources.video("in order"), GOP - 3, 3 * GOP + 5, tmp_path / "out.mp4")
    assert (done.first_copied, done.copied_end, done.frames_encoded) == (GOP, 3 * GOP + 5, 3)


def test_reordered_pictures_are_copied_up_to_the_last_place_without_a_hole(sources: Sources, tmp_path: Path) -> None:
    """Behind a keyframe, groups of three pictures and the one they lean on: shown without a hole after 1, 5, 9."""
    ends = {end: cut(sources.video("reordered"), GOP, end, tmp_path / "out.mp4").copied_end for end in range(51, 61)}
    assert ends == {51: 51, 52: 51, 53: 51, 54: 51, 55: 55, 56: 55, 57: 55, 58: 55, 59: 59, 60: 59}


def test_ntsc_rate_is_kept_exactly(ntsc: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    cut(ntsc, 11, 71, out)
    pictures, seconds = decoded(out)
    assert [read_counter(luma(one), SIZE) for one in pictures] == list(range(11, 71))
    assert seconds == [Fraction(1001 * number, 30000) for number in range(60)]
    gates.check(gates.measure(out), plan_of(ntsc, EditSpec.of_clip(11, 71)))


def test_a_clip_can_be_cut_from_a_clip(sources: Sources, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    cut(sources.video("reordered"), 10, 96, first)
    whole = decoded(first).pictures
    done = cut(first, 5, 82, second)
    pictures = decoded(second).pictures
    assert [read_counter(luma(one), SIZE) for one in pictures] == list(range(15, 92))
    assert done.frames_copied > 40
    assert pictures[done.first_copied - 5 : done.copied_end - 5] == whole[done.first_copied : done.copied_end]
    assert decoded_by_ffmpeg(second) == pictures


@pytest.mark.parametrize("seconds", ["0.5", "1.1"])
def test_a_recording_whose_start_an_edit_list_hides_counts_from_its_first_shown_picture(
    sources: Sources, tmp_path: Path, seconds: str
) -> None:
    """As phones trim: the pictures before stay in the file."""
    video = tmp_path / "trimmed.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", seconds, "-i", str(sources.video("in order"))]
    subprocess.run([*command, "-c", "copy", str(video)], check=True)
    shift = round(float(seconds) * 30)
    whole = sources.decoded("in order").pictures
    for start, end in ((0, 60), (9, 55), (10, 51)):
        done = cut(video, start, end, tmp_path / "out.mp4")
        pictures = decoded(tmp_path / "out.mp4").pictures
        assert [read_counter(luma(one), SIZE) for one in pictures] == list(range(start + shift, end + shift))
        copied = slice(done.first_copied - start, done.copied_end - start)
        assert pictures[copied] == whole[done.first_copied + shift : done.copied_end + shift]


def test_a_source_that_does_not_tell_how_far_pictures_move_stays_in_order(tmp_path: Path) -> None:
    video = without_usability_information(write_video(tmp_path / "in.mp4", 80, tags=encoded("bframes=3:b-adapt=0")))
    for start, end in ((5, 70), (24, 60), (25, 61)):
        out = tmp_path / "out.mp4"
        cut(video, start, end, out)
        pictures, seconds = decoded(out)
        assert [read_counter(luma(one), SIZE) for one in pictures] == list(range(start, end))
        assert seconds == [Fraction(number, 30) for number in range(end - start)]
        assert decoded_by_ffmpeg(out) == pictures


def test_the_edges_have_the_sources_profile_level_and_buffer_and_a_number_of_their_own(
    sources: Sources, tmp_path: Path
) -> None:
    for name, profile in (("baseline", 66), ("main", 77), ("reordered", 100)):
        cut(sources.video(name), 13, 95, tmp_path / "out.mp4")
        with (tmp_path / "out.mp4").open("rb") as file, open_media(file) as media:
            own, edge = read_record(media.video.codec_context.extradata or b"").sequences
        assert (own.profile, edge.profile) == (profile, profile)
        assert (own.level, own.reference_frames) == (edge.level, edge.reference_frames)
        assert own.number != edge.number


def test_the_same_cut_is_the_same_bytes(sources: Sources, tmp_path: Path) -> None:
    outs = [tmp_path / "first.mp4", tmp_path / "second.mp4"]
    for out in outs:
        cut(sources.video("reordered"), 3, 92, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
