"""The state folder: who may read it, who may use it, and ports that are taken."""

import socket
import stat
import sys
from pathlib import Path

import pytest

from infra.localcloud.asgi import PortInUseError
from infra.localcloud.modal import Modal
from infra.localcloud.modal.store import StateInUseError


def _modal(state: Path, grpc_port: int = 0, http_port: int = 0) -> Modal:
    return Modal(state, grpc_port, http_port, python=Path(sys.executable))


async def test_only_the_owner_may_read_what_holds_secrets(tmp_path: Path) -> None:
    cloud = _modal(tmp_path / "state")
    await cloud.start()
    try:
        files = [path for path in (tmp_path / "state").iterdir() if path.name.startswith("state.sqlite")]
        assert files
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    finally:
        await cloud.stop()


async def test_a_second_stand_in_on_the_same_state_is_refused(tmp_path: Path) -> None:
    first = _modal(tmp_path)
    await first.start()
    try:
        with pytest.raises(StateInUseError, match=r"state\.sqlite is in use"):
            await _modal(tmp_path).start()
    finally:
        await first.stop()
    again = _modal(tmp_path)
    await again.start()
    await again.stop()


@pytest.mark.parametrize("which", ["grpc_port", "http_port"])
async def test_a_taken_port_is_named_and_nothing_stays_open(tmp_path: Path, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=str(port)):
            await _modal(tmp_path, **{which: port}).start()
    cloud = _modal(tmp_path)
    await cloud.start()
    await cloud.stop()
