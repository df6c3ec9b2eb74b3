"""Reading over HTTP ranges: any part, in any order, through faults, and never with a URL in a message."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gpu.contract import ErrorCode
from gpu.render import source, transport
from gpu.render.errors import MediaFailure
from gpu.render.source import HttpSource
from tests.gpu.render.storage import SIGNATURE, Storage, cut_short

DATA = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def small_blocks_and_short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(source, "CACHED_BLOCKS", 5)
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def url(storage: Storage) -> str:
    storage.objects["game.mp4"] = DATA
    return storage.url("game.mp4")


def read_all(file: HttpSource) -> bytes:
    return b"".join(iter(lambda: file.read(700), b""))


def failure_of(url: str) -> MediaFailure:
    with pytest.raises(MediaFailure) as refused:
        HttpSource(url).read()
    assert SIGNATURE not in refused.value.message
    return refused.value


def test_it_reads_what_is_stored(url: str) -> None:
    with HttpSource(url) as file:
        assert file.size == len(DATA)
        assert read_all(file) == DATA


def test_it_seeks_like_a_file(url: str) -> None:
    with HttpSource(url) as file:
        model = io.BytesIO(DATA)
        for offset, whence in (
            (5000, io.SEEK_SET),
            (-300, io.SEEK_CUR),
            (-10, io.SEEK_END),
            (-9000, io.SEEK_END),
            (0, io.SEEK_SET),
        ):
            assert file.seek(offset, whence) == model.seek(offset, whence)
            assert b"".join(iter(lambda: file.read(700), b"")) == model.read()
            file.seek(model.seek(3100))
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)


def test_reading_past_the_end_is_empty(url: str) -> None:
    with HttpSource(url) as file:
        file.seek(len(DATA) + 5)
        assert file.read(10) == b""


def test_a_block_is_fetched_once_while_it_is_cached(storage: Storage, url: str) -> None:
    with HttpSource(url) as file:
        for _ in range(3):
            file.seek(100)
            file.read(50)
    assert [wanted for _, wanted in storage.requests].count("bytes=0-999") == 1


def test_the_cache_is_bounded(url: str) -> None:
    with HttpSource(url) as file:
        read_all(file)
        assert len(file._blocks) <= source.CACHED_BLOCKS


def test_only_what_is_near_is_read(storage: Storage, url: str) -> None:
    with HttpSource(url) as file:
        file.seek(9000)
        file.read(10)
    assert {wanted for _, wanted in storage.requests} <= {"bytes=0-999", "bytes=9000-9999"}


@pytest.mark.parametrize("fault", [503, 429, 500, cut_short], ids=["503", "429", "500", "cut short"])
def test_a_passing_fault_is_not_noticed(storage: Storage, url: str, fault: int | Callable[[Any], None]) -> None:
    storage.faults = [fault, fault]
    with HttpSource(url) as file:
        storage.faults = [fault]
        assert read_all(file) == DATA


def test_a_lasting_fault_is_reported_after_some_attempts(storage: Storage, url: str) -> None:
    storage.faults = [503] * 50
    failure = failure_of(url)
    assert failure.code == "source_unreachable"
    assert "503" in failure.message
    assert len(storage.requests) == transport.ATTEMPTS


@pytest.mark.parametrize(("status", "hint"), [(403, "expired"), (404, "deleted"), (302, "302"), (400, "400")], ids=str)
def test_a_refusal_is_reported_at_once(storage: Storage, url: str, status: int, hint: str) -> None:
    storage.faults = [status]
    failure = failure_of(url)
    assert failure.code == "source_unreachable"
    assert hint in failure.message
    assert len(storage.requests) == 1


def test_a_storage_without_ranges_is_refused(storage: Storage, url: str) -> None:
    storage.serves_ranges = False
    assert "byte ranges" in failure_of(url).message


def test_an_empty_object_is_no_video(storage: Storage) -> None:
    storage.objects["empty"] = b""
    assert failure_of(storage.url("empty")).code == "not_a_video"


def test_an_object_that_changes_meanwhile_is_refused(storage: Storage, url: str) -> None:
    with HttpSource(url) as file:
        assert file.size == len(DATA)
        storage.objects["game.mp4"] = DATA[::-1]
        file.seek(5000)
        with pytest.raises(MediaFailure, match="replaced while it was read"):
            file.read(10)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "game.mp4", "http:///x"])
def test_other_addresses_are_refused(url: str) -> None:
    code: ErrorCode = "source_unreachable"
    assert failure_of(url).code == code


@pytest.mark.parametrize("answered", [0, 1])
def test_abort_ends_a_read_that_waits(storage: Storage, url: str, answered: int) -> None:
    with HttpSource(url) as file:
        storage.hold("GET", after=answered)
        file.seek(5000)
        failures: list[MediaFailure] = []

        def read() -> None:
            try:
                file.read(10)
            except MediaFailure as failure:
                failures.append(failure)

        reader = threading.Thread(target=read)
        reader.start()
        assert storage.arrived.wait(60)
        file.abort()
        reader.join(60)
        assert not reader.is_alive()
        assert [failure.code for failure in failures] == ["source_unreachable"]
