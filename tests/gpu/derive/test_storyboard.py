"""Every entry of a storyboard shows the frame that it names, and is cheap to make."""

from fractions import Fraction
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from gpu.derive import thumbnails
from gpu.derive.facts import Storyboard
from gpu.derive.storyboard import INDEX_NAME, cell_size, write_storyboard
from gpu.plan.geometry import Size
from gpu.render.media import shown_at
from tests.gpu.derive.sources import numbers_on, read_sheets, shown_on_grid, varying_times, write_colour, write_keyed

EVERY_25TH = range(0, 130, 25)
SPARSE = (0, 100)
FRAGMENTED = {"movflags": "+frag_keyframe+empty_moov"}


def storyboard(video: Path, folder: Path, interval_ms: int = 1000) -> Storyboard:
    with video.open("rb") as file:
        return write_storyboard(file, folder, interval_ms=interval_ms)


def frames(board: Storyboard) -> list[int]:
    return [entry.frame for entry in board.entries]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Fraction]:
    """Times of the pictures that were decoded outside of the exact reader, which must not be used."""
    times: list[Fraction] = []

    def counting(frame: VideoFrame) -> Fraction:
        times.append(shown_at(frame))
        return times[-1]

    def refusing(*_: object, **__: object) -> None:
        raise AssertionError("pictures were decoded one after the other")

    monkeypatch.setattr(thumbnails, "shown_at", counting)
    monkeypatch.setattr(thumbnails, "read_range", refusing)
    return times


@pytest.mark.parametrize(("name", "reorder"), [("a.mp4", 0), ("a.mp4", 3), ("a.mov", 3), ("a.avi", 0)])
def test_with_an_index_only_the_nearest_keyframes_are_decoded(
    tmp_path: Path, decoded: list[Fraction], name: str, reorder: int
) -> None:
    video = write_keyed(tmp_path / name, 120, EVERY_25TH, reorder=reorder)
    board = storyboard(video, tmp_path / "board")
    assert frames(board) == [0, 25, 50, 100]
    assert numbers_on(tmp_path / "board", board) == [0, 25, 50, 100]
    assert len(decoded) == 4


@pytest.mark.parametrize("reorder", [0, 3])
@pytest.mark.parametrize(("name", "options"), [("a.mkv", {}), ("a.ts", {}), ("a.mp4", FRAGMENTED)])
def test_without_an_index_only_keyframes_are_decoded(
    tmp_path: Path, decoded: list[Fraction], name: str, options: dict[str, str], reorder: int
) -> None:
    video = write_keyed(tmp_path / name, 120, EVERY_25TH, options=options, reorder=reorder)
    board = storyboard(video, tmp_path / "board")
    assert frames(board) == [0, 25, 50, 100]
    assert numbers_on(tmp_path / "board", board) == [0, 25, 50, 100]
    assert len(decoded) == 5


@pytest.mark.parametrize(
    ("name", "keyframes", "expected"),
    [
        ("a.mp4", SPARSE, [0, 30, 60, 100, 120]),
        ("a.mp4", (0,), [0, 30, 60, 90, 120]),
        ("a.mkv", SPARSE, [0, 30, 60, 90, 120]),
        ("a.ts", (0,), [0, 30, 60, 90, 120]),
    ],
)
def test_where_no_keyframe_is_near_the_frame_itself_is_shown(
    tmp_path: Path, name: str, keyframes: tuple[int, ...], expected: list[int]
) -> None:
    board = storyboard(write_keyed(tmp_path / name, 125, keyframes, reorder=2), tmp_path / "board")
    assert frames(board) == expected
    assert numbers_on(tmp_path / "board", board) == expected


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_with_a_varying_rate_an_entry_names_the_frame_of_the_grid(tmp_path: Path, name: str) -> None:
    times = varying_times(100)
    video = write_keyed(tmp_path / name, 100, {0, *range(1, 100, 4)}, times=times, reorder=2)
    board = storyboard(video, tmp_path / "board", 500)
    assert numbers_on(tmp_path / "board", board) == [shown_on_grid(times, frame) for frame in frames(board)]
    assert all(abs(frame - 15 * number) <= 4 for number, frame in enumerate(frames(board)))


@pytest.mark.parametrize(("frame_count", "entries"), [(120, 4), (121, 5), (1, 1)])
def test_there_is_an_entry_for_every_interval_that_begins(tmp_path: Path, frame_count: int, entries: int) -> None:
    board = storyboard(write_keyed(tmp_path / "a.mp4", frame_count, range(0, 121, 30)), tmp_path / "board")
    assert frames(board) == [30 * number for number in range(entries)]
    assert [entry.ms for entry in board.entries] == [1000 * number for number in range(entries)]


def test_an_entry_that_is_due_after_the_last_frame_shows_the_last_frame(tmp_path: Path) -> None:
    video = write_keyed(tmp_path / "a.mp4", 30, {0}, rate=Fraction(30000, 1001))
    board = storyboard(video, tmp_path / "board")
    assert frames(board) == numbers_on(tmp_path / "board", board) == [0, 29]


def test_sheets_are_filled_row_by_row(tmp_path: Path) -> None:
    board = storyboard(write_keyed(tmp_path / "a.mp4", 115, {0}, rate=Fraction(25)), tmp_path / "board", 40)
    assert frames(board) == list(range(115))
    assert numbers_on(tmp_path / "board", board) == list(range(115))
    places = [(entry.sheet, entry.row, entry.column) for entry in board.entries]
    assert places == [(n // 100, n % 100 // 10, n % 10) for n in range(115)]
    shapes = [sheet.shape for sheet in read_sheets(tmp_path / "board", board)]
    assert shapes == [(900, 1600, 3), (180, 1600, 3)]


def test_the_index_lies_beside_the_sheets(tmp_path: Path) -> None:
    board = storyboard(write_keyed(tmp_path / "a.mp4", 31, {0, 30}), tmp_path / "board")
    assert Storyboard.model_validate_json((tmp_path / "board" / INDEX_NAME).read_text()) == board
    assert {path.name for path in (tmp_path / "board").iterdir()} == {INDEX_NAME, *board.sheets}


def test_a_turned_source_is_shown_upright(tmp_path: Path) -> None:
    board = storyboard(write_keyed(tmp_path / "a.mp4", 31, {0, 30}, rotation=90), tmp_path / "board")
    assert (board.cell_width, board.cell_height) == (50, 90)
    assert numbers_on(tmp_path / "board", board, turn=1) == [0, 30]


def test_colours_are_those_of_the_source(tmp_path: Path) -> None:
    """The levels of bt709 in TV range (ITU-R BT.709, 3.2 and 4.2), back to red, green and blue by hand."""
    board = storyboard(write_colour(tmp_path / "a.mp4", 100, 90, 180), tmp_path / "board")
    colour = read_sheets(tmp_path / "board", board)[0][:90, :160].mean(axis=(0, 1))
    assert colour.tolist() == pytest.approx([17.5, 78.2, 191.0], abs=3)


@pytest.mark.parametrize(
    ("display", "cell"),
    [
        ((1920, 1080), (160, 90)),
        ((1080, 1920), (50, 90)),
        ((1440, 1080), (120, 90)),
        ((3840, 1600), (160, 66)),
        ((100, 60), (100, 60)),
        ((8192, 16), (160, 2)),
    ],
)
def test_a_cell_has_the_ratio_of_the_source(display: tuple[int, int], cell: tuple[int, int]) -> None:
    assert cell_size(Size(*display)) == cell


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "mine").write_text("kept")
    with pytest.raises(OSError, match="not empty"):
        storyboard(write_keyed(tmp_path / "a.mp4", 2, {0}), tmp_path / "board")
    assert [path.name for path in (tmp_path / "board").iterdir()] == ["mine"]
