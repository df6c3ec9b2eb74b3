"""What goes wrong before or beside the main job ends with a clear message, and nothing is lost."""

import re
import socket
from pathlib import Path

import pytest

from tests.e2e.system import System, copy_of_the_repository

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture
def fresh(tmp_path: Path) -> System:
    """A copy that was never up; each test makes it fail before the sample is needed."""
    system = copy_of_the_repository(tmp_path)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/sample.mp4").write_bytes(b"not needed here")
    return system


def test_a_port_in_use_is_named_and_nothing_stays_behind(fresh: System) -> None:
    text = (fresh.root / "Pulumi.local.yaml").read_text()
    port = int(re.findall(r"reel:r2Endpoint: .*:(\d+)", text)[0])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said = fresh.make("up", status=2)
    assert f"port {port} on 127.0.0.1 is in use" in said
    assert "was not running" in fresh.make("down")


def test_a_mistake_in_the_stack_file_is_named_with_file_key_and_value(fresh: System) -> None:
    fresh.edit("Pulumi.local.yaml", "reel:vmMemoryMb: 512", "reel:vmMemoryMb: 500\n  reel:vmMemory: 512")
    said = fresh.make("up", status=2)
    assert "Pulumi.local.yaml has 2 mistake(s)" in said
    assert "reel:vmMemoryMb: 500 is wrong" in said
    assert "reel:vmMemory: unknown key" in said


def test_a_wrong_stack_name_is_refused_with_the_ones_there_are(fresh: System) -> None:
    said = fresh.rehearse("preview", "--stack", "stagging", status=1)
    assert "Pulumi.stagging.yaml" in said


def test_staging_is_never_rehearsed(fresh: System) -> None:
    tokens = "  reel:modalTokenId: ak-made-up\n  reel:modalTokenSecret: as-made-up\n"
    path = fresh.root / "Pulumi.staging.yaml"
    path.write_text(path.read_text() + tokens)
    said = fresh.rehearse("up", "--stack", "staging", status=1)
    assert "to a loopback address" in said


def test_a_missing_secret_is_named_with_the_command_that_sets_it(fresh: System) -> None:
    path = fresh.root / "Pulumi.local.yaml"
    path.write_text(re.sub(r"  reel:modalTokenSecret:\n    secure: .*\n", "", path.read_text()))
    said = fresh.rehearse("preview", status=1)
    assert "pulumi config set" in said
    assert "reel:modalTokenSecret" in said


def test_a_wrong_passphrase_is_refused(fresh: System, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.edit("infra/local.env", "local-passphrase", "another-passphrase")
    said = fresh.make("up", status=2)
    assert "passphrase" in said
    fresh.make("down")


def test_a_damaged_state_is_named_and_never_overwritten(system: System, first_up: str) -> None:
    state = system.root / ".local/stacks/local.json"
    good = state.read_text()
    state.write_text(good[: len(good) // 2])
    said = system.make("up", status=2)
    assert "local.json" in said
    assert state.read_text() == good[: len(good) // 2]
    state.write_text(good)
    assert "nothing changed" in system.make("up")
