"""Locking: what is written was measured, and an entry never changes unnoticed."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from gpu.weights.__main__ import main
from gpu.weights.lock import LOCK, WeightsError, read_lock, write_lock
from gpu.weights.store import relock
from tests.gpu.render.storage import Storage
from tests.gpu.weights.conftest import NETWORK, UNVERIFIED, MakeLock


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["weights", *words])
    return main()


def test_one_command_makes_an_unverified_entry_fetchable(
    make_lock: MakeLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = make_lock(UNVERIFIED)
    fetching = ["fetch", str(tmp_path / "weights"), "--lock", str(lock)]
    assert run(monkeypatch, *fetching) == 1
    assert "python -m gpu.weights lock" in capsys.readouterr().err
    assert run(monkeypatch, "lock", "--lock", str(lock)) == 0
    (weight,) = read_lock(lock)
    assert (weight.sha256, weight.bytes) == (hashlib.sha256(NETWORK).hexdigest(), len(NETWORK))
    assert run(monkeypatch, *fetching) == 0
    assert (tmp_path / "weights" / "network.pth").read_bytes() == NETWORK


def test_only_the_named_entries_are_measured(make_lock: MakeLock) -> None:
    lock = make_lock(UNVERIFIED, {"name": "other", "file": "other.pth", **UNVERIFIED})
    relock(["network"], lock=lock)
    assert [weight.sha256 is not None for weight in read_lock(lock)] == [True, False]


def test_a_locked_file_that_changed_at_its_source_is_refused(make_lock: MakeLock, server: Storage) -> None:
    lock = make_lock()
    before = lock.read_bytes()
    server.objects["network.pth"] = NETWORK[:-1] + b"!"
    with pytest.raises(WeightsError, match="not the locked file"):
        relock(lock=lock)
    assert lock.read_bytes() == before


def test_a_file_that_its_publisher_does_not_know_is_not_locked(make_lock: MakeLock) -> None:
    lock = make_lock({**UNVERIFIED, "upstream_md5": "0" * 32})
    before = lock.read_bytes()
    with pytest.raises(WeightsError, match="not the published file"):
        relock(lock=lock)
    assert lock.read_bytes() == before


def test_the_published_file_is_locked(make_lock: MakeLock) -> None:
    lock = make_lock({**UNVERIFIED, "upstream_md5": hashlib.md5(NETWORK).hexdigest()})
    relock(lock=lock)
    assert read_lock(lock)[0].sha256 == hashlib.sha256(NETWORK).hexdigest()


def test_a_second_lock_changes_nothing(make_lock: MakeLock) -> None:
    lock = make_lock(UNVERIFIED)
    relock(lock=lock)
    first = lock.read_bytes()
    relock(lock=lock)
    assert lock.read_bytes() == first
    assert [path.name for path in lock.parent.iterdir()] == [lock.name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bytes": None}, "both or none"),
        ({"sha256": "abc"}, "sha256"),
        ({"file": "../network.pth"}, "file"),
        ({"url": "http://weights.example/network.pth"}, "not https"),
        ({"url": "https://user@weights.example/network.pth"}, "a user in it"),
        ({"hash": "abc"}, "hash"),
    ],
    ids=["half measured", "no hash", "a path", "no encryption", "a user", "unknown key"],
)
def test_a_lock_that_cannot_be_trusted_is_refused(make_lock: MakeLock, change: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        read_lock(make_lock(change))


@pytest.mark.parametrize("key", ["name", "file"])
def test_two_entries_never_share_a_name_or_a_file(make_lock: MakeLock, key: str) -> None:
    other = {"name": "other", "file": "other.pth"}
    lock = make_lock({}, {**other, key: {"name": "network", "file": "network.pth"}[key]})
    with pytest.raises(WeightsError, match=f"same {key}"):
        read_lock(lock)


def test_writing_the_lock_of_this_repository_back_changes_no_byte(tmp_path: Path) -> None:
    write_lock(read_lock(LOCK), tmp_path / "weights.lock")
    assert (tmp_path / "weights.lock").read_bytes() == LOCK.read_bytes()
