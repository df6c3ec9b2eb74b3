"""Sources that are opened once more for NVDEC; here without one, so that the second opening decodes in software."""

from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest

from gpu.render.engines import gpu_shelf
from gpu.render.engines.gpu_shelf import GpuMedia, GpuShelf
from gpu.render.picture import planes
from gpu.render.reader import Picture, Range, read_range
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources
from tests.gpu.render.videos import RATE, paintings, write_with_ffmpeg


@pytest.fixture(autouse=True)
def _in_software(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_shelf, "gpu_decoding", lambda *, fallback: None)


def pictures(shelf: Shelf, first: int, end: int) -> "list[np.ndarray[Any, Any]]":
    with shelf, shelf.lend(0) as media:
        items = list(read_range(media, Range(first, end, RATE), with_sound=False))
    return [planes(item.frame).y.copy() for item in items if isinstance(item, Picture)]


def test_pictures_are_those_of_the_usual_shelf(match: Path) -> None:
    sources = LocalSources([match])
    for one, other in zip(pictures(GpuShelf(sources), 40, 50), pictures(Shelf(sources), 40, 50), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_second_opening_has_the_short_lists_of_the_first_and_is_kept(
    match: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[dict[str, Any]] = []
    real = av.open

    def noted(file: Any, mode: Literal["r"], **settings: Any) -> Any:
        opened.append(settings["options"])
        return real(file, mode, **settings)

    monkeypatch.setattr(av, "open", noted)
    with GpuShelf(LocalSources([match])) as shelf:
        for _ in range(3):
            with shelf.lend(0) as media:
                assert isinstance(media, GpuMedia)
    first, second = opened
    assert first == second


def test_interlaced_video_is_left_to_software(tmp_path: Path) -> None:
    fields = ["-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-vf", "setfield=tff"]
    video = write_with_ffmpeg(tmp_path / "fields.mp4", paintings(4), fields)
    with GpuShelf(LocalSources([video])) as shelf, shelf.lend(0) as media:
        assert media.interlaced
        assert not isinstance(media, GpuMedia)


def test_an_aborted_shelf_reads_nothing_more(match: Path) -> None:
    shelf = GpuShelf(LocalSources([match]))
    with shelf, shelf.lend(0):
        shelf.abort()
        assert len(shelf._opened) == 2
    assert not shelf._opened
