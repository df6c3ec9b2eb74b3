"""All three derivatives appear complete or not at all, report how far they are, and are the same each time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gpu.derive.peaks import write_peaks
from gpu.derive.proxy import write_proxy
from gpu.derive.storyboard import write_storyboard
from gpu.plan.spec import Value
from gpu.render.metered import SeekableFile

OnFrame = Callable[[int], None]
Derive = Callable[[SeekableFile, Path, OnFrame, Callable[[], None]], Value]


def _proxy(file: SeekableFile, path: Path, on_frame: OnFrame, stop_reading: Callable[[], None]) -> Value:
    return write_proxy(file, path, None, on_frame, stop_reading)


def _storyboard(file: SeekableFile, path: Path, on_frame: OnFrame, stop_reading: Callable[[], None]) -> Value:
    return write_storyboard(file, path, on_frame, stop_reading, interval_ms=100)


def _peaks(file: SeekableFile, path: Path, on_frame: OnFrame, stop_reading: Callable[[], None]) -> Value:
    return write_peaks(file, path, on_frame, stop_reading)


every_derivative = pytest.mark.parametrize(
    "derive", [_proxy, _storyboard, _peaks], ids=["proxy", "storyboard", "peaks"]
)


class Cancelled(BaseException):
    """What a signal raises."""


@every_derivative
def test_progress_rises_to_the_number_of_frames(match: Path, tmp_path: Path, derive: Derive) -> None:
    done: list[int] = []
    with match.open("rb") as file:
        derive(file, tmp_path / "out", done.append, lambda: None)
    assert done == sorted(done)
    assert len(done) > 10
    assert (done[0] < 60, done[-1]) == (True, 120)


@every_derivative
def test_the_same_source_gives_the_same_bytes(match: Path, tmp_path: Path, derive: Derive) -> None:
    facts = []
    for name in ("one", "two"):
        with match.open("rb") as file:
            facts.append(derive(file, tmp_path / name, lambda done: None, lambda: None))
    assert facts[0] == facts[1]
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")


@every_derivative
def test_a_cancelled_one_leaves_nothing_and_stops_reading(match: Path, tmp_path: Path, derive: Derive) -> None:
    stopped: list[bool] = []

    def cancel(done: int) -> None:
        raise Cancelled

    with match.open("rb") as file, pytest.raises(Cancelled):
        derive(file, tmp_path / "out", cancel, lambda: stopped.append(True))
    assert list(tmp_path.iterdir()) == []
    assert stopped == [True]


@every_derivative
def test_nothing_appears_before_it_is_complete(match: Path, tmp_path: Path, derive: Derive) -> None:
    seen: list[bool] = []
    with match.open("rb") as file:
        derive(file, tmp_path / "out", lambda done: seen.append((tmp_path / "out").exists()), lambda: None)
    assert not any(seen)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("derive", [_proxy, _peaks], ids=["proxy", "peaks"])
def test_a_file_of_an_earlier_attempt_is_replaced(match: Path, tmp_path: Path, derive: Derive) -> None:
    (tmp_path / "out").write_text("old")
    with match.open("rb") as file:
        derive(file, tmp_path / "out", lambda done: None, lambda: None)
    assert (tmp_path / "out").stat().st_size > 100


def _contents(path: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(path.iterdir())] if path.is_dir() else [path.read_bytes()]
