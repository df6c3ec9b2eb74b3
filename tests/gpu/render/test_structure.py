"""How far keyframes are apart, and where the index is."""

import io
from pathlib import Path

import pytest

from gpu.render import structure
from gpu.render.boxes import Box, is_cut_off, outer_boxes
from gpu.render.media import open_media
from gpu.render.structure import gop_ms, has_index_first, keyframe_times
from tests.gpu.derive.sources import write_keyed

CONTAINERS = ("a.mp4", "a.mov", "a.avi", "a.mkv", "a.ts")
FRAGMENTED = {"movflags": "+frag_keyframe+empty_moov"}


def distance(video: Path) -> int | None:
    with video.open("rb") as file, open_media(file) as media:
        return gop_ms(media)


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_longest_distance_of_keyframes_counts(tmp_path: Path, name: str) -> None:
    assert distance(write_keyed(tmp_path / name, 60, {0, 10, 37, 50})) == 900


def test_pictures_out_of_order_do_not_change_it(tmp_path: Path) -> None:
    assert distance(write_keyed(tmp_path / "a.mp4", 60, {0, 12, 48}, reorder=3)) == pytest.approx(1200, abs=70)


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_way_to_the_last_picture_counts_too(tmp_path: Path, name: str) -> None:
    assert distance(write_keyed(tmp_path / name, 61, {0, 10, 21})) == 1300


@pytest.mark.parametrize("name", CONTAINERS)
def test_one_keyframe_has_no_distance(tmp_path: Path, name: str) -> None:
    assert distance(write_keyed(tmp_path / name, 30, {0})) is None


def test_an_index_tells_of_keyframes_beyond_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "_SAMPLE_PACKETS", 40)
    keyframes = {0, 10, 20, 30, 90}
    assert distance(write_keyed(tmp_path / "a.mp4", 100, keyframes)) == 2000
    assert distance(write_keyed(tmp_path / "a.mkv", 100, keyframes)) == pytest.approx(333, abs=1)


def test_without_an_index_only_a_sample_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "_SAMPLE_BYTES", 1)
    video = write_keyed(tmp_path / "a.ts", 40, {0, 10})
    assert distance(video) is None


def test_only_a_complete_index_tells_where_keyframes_are(tmp_path: Path) -> None:
    indexed = write_keyed(tmp_path / "a.mp4", 40, {0, 10, 24})
    fragmented = write_keyed(tmp_path / "b.mp4", 40, {0, 10, 24}, options=FRAGMENTED)
    with indexed.open("rb") as file, open_media(file) as media:
        assert [round(at * 30) for at in keyframe_times(media) or ()] == [0, 10, 24]
    with fragmented.open("rb") as file, open_media(file) as media:
        assert keyframe_times(media) is None


@pytest.mark.parametrize(
    ("name", "options", "first"),
    [
        ("a.mp4", {}, False),
        ("a.mov", {}, False),
        ("a.mp4", {"movflags": "+faststart"}, True),
        ("a.mp4", FRAGMENTED, True),
        ("a.mkv", {}, True),
        ("a.ts", {}, True),
    ],
)
def test_the_index_is_first_if_moov_comes_before_mdat(
    tmp_path: Path, name: str, options: dict[str, str], first: bool
) -> None:
    video = write_keyed(tmp_path / name, 5, {0}, options=options)
    with video.open("rb") as file, open_media(file) as media:
        position = file.tell()
        assert has_index_first(media) is first
        assert file.tell() == position


def test_boxes_of_64_bit_length_are_passed_over_and_a_broken_one_ends_the_search() -> None:
    wide = (1).to_bytes(4) + b"free" + (20).to_bytes(8) + bytes(4)
    content = wide + (8).to_bytes(4) + b"moov" + (3).to_bytes(4) + b"trap" + bytes(20)
    assert walked(content) == [Box(b"free", 20), Box(b"moov", 28), Box(b"trap", 31)]


def test_a_file_of_many_small_boxes_is_not_read_to_its_end() -> None:
    assert len(walked(((8).to_bytes(4) + b"free") * 10_000)) == 32


def test_a_box_that_claims_to_end_nowhere_is_not_gone_to() -> None:
    endless = (1).to_bytes(4) + b"free" + (2**64 - 1).to_bytes(8)
    assert walked(endless) == [Box(b"free", 2**64 - 1)]


WHOLE = (8).to_bytes(4)
TO_THE_END = (0).to_bytes(4)
BEYOND = (900).to_bytes(4)
FAR_BEYOND = (1).to_bytes(4)


@pytest.mark.parametrize(
    ("content", "cut_off"),
    [
        (WHOLE + b"moov" + WHOLE + b"mdat", False),
        (WHOLE + b"mdat" + BEYOND + b"moov", True),
        (WHOLE + b"mdat" + TO_THE_END + b"moov" + bytes(9), False),
        (WHOLE + b"mdat" + FAR_BEYOND + b"moov" + (2**63 + 5).to_bytes(8), True),
        (WHOLE + b"moov" + BEYOND + b"mdat", True),
        (WHOLE + b"moov" + TO_THE_END + b"mdat" + bytes(9), False),
        (WHOLE + b"moov" + WHOLE + b"moof" + BEYOND + b"mdat", False),
        (WHOLE + b"moov" + BEYOND + b"moof", False),
        (WHOLE + b"moov" + WHOLE + b"mdat" + b"camera's own notes", False),
    ],
)
def test_a_file_is_cut_off_if_its_index_or_media_data_go_on_beyond_it(content: bytes, cut_off: bool) -> None:
    assert is_cut_off(io.BytesIO(content), len(content)) is cut_off


def walked(content: bytes) -> list[Box]:
    return list(outer_boxes(io.BytesIO(content), len(content)))
