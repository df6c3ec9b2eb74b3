"""A cut that does not come to its end leaves nothing behind, and one over HTTP is the same as one of a file."""

import io
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from gpu.render import media
from gpu.render.errors import MediaFailure
from gpu.render.overlap import overlapped
from gpu.render.produce import probe_file
from gpu.render.smart import cut as cut_module
from gpu.render.smart.cut import smart_cut
from gpu.render.smart.reason import NotCopyable, Reason
from gpu.render.source import HttpSource
from tests.gpu.render.smart.conftest import Sources
from tests.gpu.render.smart.cutting import cut, refused
from tests.gpu.render.storage import Storage


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("last", [1, 20, 60, 75])
def test_a_cancelled_cut_leaves_no_file(sources: Sources, tmp_path: Path, last: int) -> None:
    def cancel(frames: int) -> None:
        if frames == last:
            raise Cancelled

    folder = tmp_path / "results"
    folder.mkdir()
    with sources.video("reordered").open("rb") as file, pytest.raises(Cancelled):
        smart_cut(file, 7, 82, folder / "out.mp4", cancel)
    assert list(folder.iterdir()) == []


def test_a_source_whose_clip_cannot_be_copied_can_be_read_on(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the reader's thread takes its time to end, which makes `overlapped` call for an end."""

    @contextmanager
    def calling_for_an_end(items: Generator[Any], depth: int, stop: Callable[[], None]) -> Iterator[Iterator[Any]]:
        try:
            with overlapped(items, depth) as read:
                yield read
        finally:
            stop()

    monkeypatch.setattr(cut_module, "overlapped", calling_for_an_end)
    stopped: list[bool] = []
    with sources.video("reordered").open("rb") as file:
        with pytest.raises(NotCopyable):
            smart_cut(file, 1, 20, tmp_path / "out.mp4", lambda frames: None, lambda: stopped.append(True))
        assert stopped == []
        file.seek(0)
        assert probe_file(file).frame_count == 100


def test_a_wait_for_the_network_is_ended_when_the_cut_is_cancelled(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader waits inside a read, which only `stop_reading` ends."""
    monkeypatch.setattr(media, "_READ_BYTES", 4096)
    held = _packet(sources.video("reordered"), 60)[0]
    arrived, stopped = threading.Event(), threading.Event()

    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() <= held < self.tell() + (size or 0):
                arrived.set()
                stopped.wait()
                raise MediaFailure("source_unreachable", "stopped")
            return super().read(size)

    def cancel(frames: int) -> None:
        if frames == 50:
            arrived.wait()
            raise Cancelled

    file = Waiting(sources.video("reordered").read_bytes())
    with pytest.raises(Cancelled):
        smart_cut(file, 7, 95, tmp_path / "out.mp4", cancel, stopped.set)
    assert stopped.is_set()


def test_progress_counts_every_frame_once(sources: Sources, tmp_path: Path) -> None:
    done: list[int] = []
    with sources.video("reordered").open("rb") as file:
        smart_cut(file, 7, 83, tmp_path / "out.mp4", done.append)
    assert done == list(range(1, 77))


def test_over_http_it_writes_the_same_bytes(sources: Sources, tmp_path: Path, storage: Storage) -> None:
    storage.objects["game.mp4"] = sources.video("reordered").read_bytes()
    with HttpSource(storage.url("game.mp4")) as source:
        smart_cut(source, 7, 83, tmp_path / "http.mp4", lambda frames: None, source.abort)
    cut(sources.video("reordered"), 7, 83, tmp_path / "file.mp4")
    assert (tmp_path / "http.mp4").read_bytes() == (tmp_path / "file.mp4").read_bytes()


def _packet(video: Path, number: int) -> tuple[int, int]:
    """Position and size of a packet in decoding order."""
    with av.open(str(video)) as container:
        entry = container.streams.video[0].index_entries[number]
        return entry.pos, entry.size


def _damaged(video: Path, target: Path, number: int, data: bytes) -> Path:
    """The video with the beginning of a packet overwritten."""
    shutil.copy(video, target)
    with target.open("r+b") as file:
        file.seek(_packet(video, number)[0])
        file.write(data)
    return target


def test_zeros_in_the_middle_are_not_copied(sources: Sources, tmp_path: Path) -> None:
    whole = sources.video("reordered")
    video = _damaged(whole, tmp_path / "in.mp4", 60, bytes(_packet(whole, 60)[1]))
    assert refused(video, 10, 90, tmp_path / "out.mp4") == Reason.DAMAGED


def test_lengths_that_point_elsewhere_are_not_copied(sources: Sources, tmp_path: Path) -> None:
    video = _damaged(sources.video("reordered"), tmp_path / "in.mp4", 60, b"\x7f\xff\xff\xff")
    assert refused(video, 10, 90, tmp_path / "out.mp4") == Reason.DAMAGED


def test_other_parameter_sets_in_the_middle_are_not_copied(sources: Sources, tmp_path: Path) -> None:
    whole = sources.video("reordered")
    size = _packet(whole, 60)[1]
    rest = (size - 16).to_bytes(4) + b"\x41"
    video = _damaged(whole, tmp_path / "in.mp4", 60, (8).to_bytes(4) + b"\x67\x64\x00\x0a\x01\x02\x03\x04" + rest)
    assert refused(video, 10, 90, tmp_path / "out.mp4") == Reason.PARAMETER_SETS


def test_a_keyframe_that_is_none_is_an_open_gop(sources: Sources, tmp_path: Path) -> None:
    """The index says keyframe, the packet is no IDR picture."""
    whole = sources.video("in order")
    for number in (25, 50, 75):
        whole = _damaged(
            whole, tmp_path / f"{number}.mp4", number, (_packet(whole, number)[1] - 4).to_bytes(4) + b"\x41"
        )
    assert refused(whole, 10, 90, tmp_path / "out.mp4") == Reason.OPEN_GOP


def test_a_closed_keyframe_behind_an_open_one_is_found(sources: Sources, tmp_path: Path) -> None:
    whole = sources.video("in order")
    video = _damaged(whole, tmp_path / "in.mp4", 25, (_packet(whole, 25)[1] - 4).to_bytes(4) + b"\x41")
    assert cut(video, 10, 90, tmp_path / "out.mp4").first_copied == 50


@pytest.mark.parametrize("name", ["in order", "moov at end, mov"])
def test_a_file_that_was_cut_off_is_refused_as_the_exact_path_refuses_it(
    sources: Sources, tmp_path: Path, name: str
) -> None:
    data = sources.video(name).read_bytes()
    video = tmp_path / "in.mp4"
    video.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(MediaFailure) as failure:
        cut(video, 10, 60, tmp_path / "out.mp4")
    assert failure.value.code in ("not_a_video", "unsupported_media")
    assert list(tmp_path.iterdir()) == [video]
