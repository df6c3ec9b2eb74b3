"""Fetching: only verified weights, only whole files, and the right ones."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gpu.weights.lock import LOCK, WeightsError, read_lock
from gpu.weights.store import VARIABLE, fetch, verified
from tests.gpu.render.storage import Storage
from tests.gpu.weights.conftest import NETWORK, UNVERIFIED, MakeLock


def test_a_fetch_brings_the_locked_file(make_lock: MakeLock, tmp_path: Path) -> None:
    lock, folder = make_lock(), tmp_path / "weights"
    assert fetch(folder, lock=lock) == [folder / "network.pth"]
    assert (folder / "network.pth").read_bytes() == NETWORK
    assert verified("network", folder, lock=lock) == folder / "network.pth"


def test_a_second_fetch_asks_for_nothing(make_lock: MakeLock, server: Storage, tmp_path: Path) -> None:
    lock = make_lock()
    fetch(tmp_path / "weights", lock=lock)
    fetch(tmp_path / "weights", lock=lock)
    assert len(server.requests) == 1


def test_a_file_that_is_there_but_wrong_is_fetched_again(make_lock: MakeLock, tmp_path: Path) -> None:
    (tmp_path / "network.pth").write_bytes(NETWORK[:-1] + b"!")
    fetch(tmp_path, lock=make_lock())
    assert (tmp_path / "network.pth").read_bytes() == NETWORK


def test_an_entry_without_a_hash_is_refused_before_any_download(
    make_lock: MakeLock, server: Storage, tmp_path: Path
) -> None:
    lock = make_lock({}, {"name": "other", "file": "other.pth", **UNVERIFIED})
    with pytest.raises(WeightsError, match=r"other has no verified hash; run `python -m gpu\.weights lock`"):
        fetch(tmp_path / "weights", lock=lock)
    assert server.requests == []


def test_named_weights_are_all_that_is_fetched_and_checked(make_lock: MakeLock, tmp_path: Path) -> None:
    lock = make_lock({}, {"name": "other", "file": "other.pth", **UNVERIFIED})
    fetch(tmp_path / "weights", ["network"], lock=lock)
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["network.pth"]
    with pytest.raises(WeightsError, match="no weights are called netwrok"):
        fetch(tmp_path / "weights", ["netwrok"], lock=lock)


def _other_content(server: Storage) -> None:
    server.objects["network.pth"] = NETWORK[:-1] + b"!"


def _shorter(server: Storage) -> None:
    server.objects["network.pth"] = NETWORK[:-1]


def _cut_off(server: Storage) -> None:
    def fault(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(NETWORK)))
        handler.end_headers()
        handler.wfile.write(NETWORK[:1000])
        handler.close_connection = True

    server.faults.append(fault)


def _without_a_size(server: Storage) -> None:
    def fault(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(NETWORK)
        handler.close_connection = True

    server.faults.append(fault)


def _gone(server: Storage) -> None:
    server.faults.append(404)


def _moved_to(address: str) -> Any:
    def spoil(server: Storage) -> None:
        def fault(handler: Any) -> None:
            handler.send_response(302)
            handler.send_header("Location", address or f"http://127.0.0.1:{server.port}/elsewhere.pth")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        server.faults.append(fault)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_other_content, "not the locked file: its sha256 is"),
        (_shorter, f"has {len(NETWORK) - 1} bytes at its source, not {len(NETWORK)}"),
        (_cut_off, f"cut off after 1000 of {len(NETWORK)} bytes"),
        (_without_a_size, "does not tell the size"),
        (_gone, "status 404"),
        (_moved_to("http://weights.example/network.pth"), "http://weights.example is not https"),
        (_moved_to("file:///etc/hostname"), "status 302"),
    ],
    ids=["other content", "shorter", "cut off", "no size", "gone", "moved without encryption", "moved to a file"],
)
def test_what_is_not_the_locked_file_leaves_nothing(
    make_lock: MakeLock, server: Storage, tmp_path: Path, spoil: Any, message: str
) -> None:
    lock, folder = make_lock(), tmp_path / "weights"
    spoil(server)
    with pytest.raises(WeightsError, match=message):
        fetch(folder, lock=lock)
    assert list(folder.iterdir()) == []


def test_a_redirect_is_followed(make_lock: MakeLock, server: Storage, tmp_path: Path) -> None:
    server.objects["elsewhere.pth"] = server.objects.pop("network.pth")
    _moved_to("")(server)
    (path,) = fetch(tmp_path, lock=make_lock())
    assert path.read_bytes() == NETWORK


def test_the_publishers_own_hash_is_held_too(make_lock: MakeLock, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not the published file: its md5 is"):
        fetch(tmp_path, lock=make_lock({"upstream_md5": "0" * 32}))
    assert not (tmp_path / "network.pth").exists()


def test_weights_are_checked_whenever_they_are_used(
    make_lock: MakeLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, folder = make_lock(), tmp_path / "weights"
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(WeightsError, match=VARIABLE):
        verified("network", lock=lock)
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(WeightsError, match="fetch` puts it there"):
        verified("network", lock=lock)
    fetch(folder, lock=lock)
    assert verified("network", lock=lock).parent == folder
    (folder / "network.pth").write_bytes(NETWORK[:-1] + b"!")
    with pytest.raises(WeightsError, match="not the file that the lock has"):
        verified("network", lock=lock)


def test_the_image_build_refuses_every_unverified_entry_of_this_repository(tmp_path: Path) -> None:
    """Whichever entries are unverified now: nothing is asked of the network, and the command says what to run."""
    unverified = [weight.name for weight in read_lock(LOCK) if weight.sha256 is None]
    if not unverified:
        pytest.skip("every entry of gpu/weights.lock is verified")
    for name in unverified:
        with pytest.raises(WeightsError, match=f"{name} has no verified hash"):
            fetch(tmp_path / "weights", [name])
    command = [sys.executable, "-m", "gpu.weights", "fetch", str(tmp_path / "weights")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=LOCK.parents[1], env=_offline(), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{unverified[0]} has no verified hash; run `python -m gpu.weights lock`" in done.stderr
    assert not (tmp_path / "weights").exists()


def _offline() -> dict[str, str]:
    """A proxy where nobody listens: a download would fail with another message."""
    return {**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
