"""Publishing a finished file."""

from pathlib import Path

import pytest

from gpu.contract import VIDEO_TYPE
from gpu.render import transport
from gpu.render.errors import MediaFailure
from gpu.render.output import file_sha256, move_into_place, upload
from tests.gpu.render.storage import SIGNATURE, Storage


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "result.mp4"
    path.write_bytes(b"finished" * 100_000)
    return path


def test_the_whole_file_arrives_with_its_type(storage: Storage, result: Path) -> None:
    upload(result, storage.url("reel.mp4"), VIDEO_TYPE)
    assert storage.objects["reel.mp4"] == result.read_bytes()
    sent = storage.headers["reel.mp4"]
    assert (sent["content-type"], sent["content-length"]) == ("video/mp4", str(result.stat().st_size))
    assert "transfer-encoding" not in sent


def test_a_passing_fault_is_tried_again_from_the_start(storage: Storage, result: Path) -> None:
    storage.faults = [503, 500]
    upload(result, storage.url("reel.mp4"), VIDEO_TYPE)
    assert storage.objects["reel.mp4"] == result.read_bytes()


@pytest.mark.parametrize("status", [400, 403, 409, 412])
def test_a_refusal_is_reported_without_the_url(storage: Storage, result: Path, status: int) -> None:
    storage.faults = [status]
    with pytest.raises(MediaFailure) as refused:
        upload(result, storage.url("reel.mp4"), VIDEO_TYPE)
    assert refused.value.code == "output_refused"
    assert str(status) in refused.value.message
    assert SIGNATURE not in refused.value.message
    assert storage.objects == {}


def test_a_storage_that_stays_away_is_reported(result: Path) -> None:
    with pytest.raises(MediaFailure, match="after 5 attempts"):
        upload(result, "http://127.0.0.1:1/reel.mp4?X-Amz-Signature=secret", VIDEO_TYPE)


def test_a_file_is_moved_over_an_older_one(tmp_path: Path, result: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"old")
    expected = file_sha256(result)
    move_into_place(result, tmp_path / "out.mp4")
    assert file_sha256(tmp_path / "out.mp4") == expected
    assert not result.exists()
