"""Sources stay open for the next clip, and are never shared by two at once."""

from pathlib import Path

import pytest

from gpu.render.errors import MediaFailure
from gpu.render.shelf import MOST_IDLE, Shelf
from gpu.render.sources import LocalSources, SourceFile


class Counting(LocalSources):
    """Remembers every file that it opened."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(paths)
        self.opened: list[SourceFile] = []

    def open(self, index: int) -> SourceFile:
        self.opened.append(super().open(index))
        return self.opened[-1]

    @property
    def still_open(self) -> int:
        return sum(not getattr(file, "closed", False) for file in self.opened)


def test_the_next_clip_of_a_source_gets_it_as_it_is(match: Path) -> None:
    sources = Counting([match])
    with Shelf(sources) as shelf:
        with shelf.lend(0) as first:
            pass
        with shelf.lend(0) as second:
            assert second is first
    assert len(sources.opened) == 1


def test_two_clips_at_once_get_one_each(match: Path) -> None:
    with Shelf(LocalSources([match])) as shelf, shelf.lend(0) as first, shelf.lend(0) as second:
        assert first is not second


def test_only_a_few_wait_and_all_are_closed_at_the_end(match: Path) -> None:
    sources = Counting([match] * 5)
    with Shelf(sources) as shelf:
        for index in range(5):
            with shelf.lend(index):
                pass
        assert sources.still_open == MOST_IDLE
    assert sources.still_open == 0


def test_what_failed_is_closed_and_not_used_again(match: Path) -> None:
    sources = Counting([match])
    with Shelf(sources) as shelf:
        with pytest.raises(ZeroDivisionError), shelf.lend(0):
            raise ZeroDivisionError
        assert sources.still_open == 0


def test_a_file_that_is_no_video_is_closed(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    sources = Counting([tmp_path / "x.mp4"])
    with Shelf(sources) as shelf, pytest.raises(MediaFailure), shelf.lend(0):
        pass
    assert sources.still_open == 0
