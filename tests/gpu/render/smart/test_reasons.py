"""What cannot be copied is refused with its reason, before a file is there."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.codeccontext import VideoCodecContext

from gpu.render.errors import MediaFailure
from gpu.render.media import open_media
from gpu.render.smart.facts import SourceFacts, can_be_copied, source_facts
from gpu.render.smart.parameters import ParameterSets, read_record
from gpu.render.smart.reason import Reason
from gpu.render.timing import find_grid
from tests.gpu.render.smart.conftest import Sources
from tests.gpu.render.smart.cutting import cut, refused
from tests.gpu.render.smart.sources import GOP, encoded, open_gop, parameters_of
from tests.gpu.render.videos import Tags, write_video


def tagged(**settings: object) -> Tags:
    def change(context: VideoCodecContext) -> None:
        for name, value in settings.items():
            setattr(context, name, value)

    return change


@pytest.mark.parametrize(
    ("name", "options", "tags", "reason"),
    [
        ("a.mkv", {}, None, Reason.CONTAINER),
        ("a.ts", {}, None, Reason.CONTAINER),
        ("a.mp4", {"movflags": "+frag_keyframe+empty_moov"}, None, Reason.INDEX),
        ("a.mp4", {}, tagged(pix_fmt="yuv420p10le"), Reason.PROFILE),
        ("a.mp4", {}, tagged(pix_fmt="yuv444p"), Reason.PROFILE),
        ("a.mp4", {}, tagged(color_range=2), Reason.COLOUR),
        ("a.mp4", {}, tagged(colorspace=5), Reason.COLOUR),
        ("a.mp4", {}, tagged(color_primaries=9), Reason.COLOUR),
        ("a.mp4", {}, tagged(sample_aspect_ratio=Fraction(4, 3)), Reason.PIXEL_SHAPE),
        ("a.mp4", {}, encoded("tff=1", profile="high"), Reason.INTERLACED),
    ],
)
def test_a_kind_of_file(tmp_path: Path, name: str, options: dict[str, str], tags: Tags | None, reason: Reason) -> None:
    video = write_video(tmp_path / name, 40, options=options, tags=tags)
    assert refused(video, 10, 40, tmp_path / "out.mp4") == reason


def test_a_turned_recording(tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", 40, rotation=90)
    assert refused(video, 10, 40, tmp_path / "out.mp4") == Reason.TURNED


def test_a_varying_rate(tmp_path: Path) -> None:
    times = [Fraction(number * number, 1500) for number in range(50)]
    video = write_video(tmp_path / "in.mp4", 50, times=times)
    assert refused(video, 10, 40, tmp_path / "out.mp4") == Reason.VARIABLE_RATE


def test_open_gops(tmp_path: Path) -> None:
    video = open_gop(tmp_path / "in.mp4")
    assert refused(video, 10, 90, tmp_path / "out.mp4") == Reason.OPEN_GOP
    assert cut(video, 0, 90, tmp_path / "out.mp4").frames_copied > 80


@pytest.mark.parametrize(("start", "end"), [(1, GOP), (GOP + 1, 2 * GOP), (30, 31), (3 * GOP + 5, 4 * GOP)])
def test_a_clip_without_a_keyframe(sources: Sources, tmp_path: Path, start: int, end: int) -> None:
    assert refused(sources.video("reordered"), start, end, tmp_path / "out.mp4") == Reason.NO_KEYFRAME


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (9, 4), (90, 101)])
def test_frames_outside_the_video_are_the_callers_fault(sources: Sources, tmp_path: Path, start: int, end: int) -> None:
    with pytest.raises(MediaFailure) as failure:
        cut(sources.video("in order"), start, end, tmp_path / "out.mp4")
    assert failure.value.code == "bad_spec"


@pytest.fixture
def facts(sources: Sources) -> SourceFacts:
    with sources.video("reordered").open("rb") as file, open_media(file) as media:
        return source_facts(media, find_grid(media))


def test_a_plain_recording_can_be_copied(facts: SourceFacts) -> None:
    assert can_be_copied(facts) is None
    assert can_be_copied(replace(facts, primaries=2, transfer=2)) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codec": "hevc"}, Reason.CODEC),
        ({"container": "matroska,webm"}, Reason.CONTAINER),
        ({"indexed": False}, Reason.INDEX),
        ({"sets": None}, Reason.PARAMETER_SETS),
        ({"pixel_format": "yuv420p10le"}, Reason.PIXELS),
        ({"converted": True}, Reason.COLOUR),
        ({"primaries": 9}, Reason.COLOUR),
        ({"transfer": 16}, Reason.COLOUR),
        ({"turned": True}, Reason.TURNED),
        ({"interlaced": True}, Reason.INTERLACED),
        ({"square_pixels": False}, Reason.PIXEL_SHAPE),
        ({"variable_rate": True}, Reason.VARIABLE_RATE),
    ],
)
def test_each_fact_can_be_the_reason(facts: SourceFacts, change: dict[str, object], reason: Reason) -> None:
    assert can_be_copied(replace(facts, **change)) == reason  # type: ignore[arg-type]


def sets_of(video: Path) -> ParameterSets:
    return read_record(parameters_of(video.read_bytes())[1])


def test_two_sequences_of_one_profile_are_fine_and_of_two_are_not(facts: SourceFacts, sources: Sources) -> None:
    high, main = (sets_of(sources.video(name)) for name in ("long reordering", "main"))
    assert facts.sets is not None
    assert can_be_copied(replace(facts, sets=facts.sets.joined(high))) is None
    assert can_be_copied(replace(facts, sets=facts.sets.joined(main))) == Reason.PARAMETER_SETS


def test_a_sequence_that_may_hold_fields_is_refused_whatever_the_first_picture_is(
    facts: SourceFacts, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "in.mp4", 3, tags=encoded("tff=1"))
    assert can_be_copied(replace(facts, sets=sets_of(video))) == Reason.INTERLACED


def test_every_reason_has_a_sentence() -> None:
    assert all(reason.sentence for reason in Reason)
