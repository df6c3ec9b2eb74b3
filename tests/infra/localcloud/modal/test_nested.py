"""A function that calls another function of its app from inside its container."""

import os
import random
import signal
from pathlib import Path
from typing import Any

import modal
import pytest
import pytest_asyncio

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import ENVIRONMENT, eventually, modal_cli

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAYS = ("remote", "spawn", "map", "starmap")
SEED = 20261122


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outer(cloud: Modal, client: modal.Client) -> Any:
    deployed = await modal_cli(cloud.server_url, "deploy", "-m", "sample.nested", "--env", ENVIRONMENT)
    assert deployed.returncode == 0, deployed.output
    return modal.Function.from_name("nested", "outer", environment_name=ENVIRONMENT, client=client)


async def _start(outer: Any, way: str, action: str, folder: Path) -> tuple[Any, Path]:
    """Spawns `outer`, waits until `inner` runs, and returns the call and the notes of `inner`."""
    notes = folder / "notes"
    call = await outer.spawn.aio(way, action, [str(notes)])
    await eventually(lambda: notes.exists() and notes.read_text().endswith("\n"))
    return call, notes


@pytest.mark.parametrize(("way", "by_name"), [(way, index % 2 == 1) for index, way in enumerate(WAYS)])
async def test_inputs_and_results_of_many_megabytes_pass_between_functions(
    cloud: Modal, outer: Any, way: str, by_name: bool
) -> None:
    print(f"seed {SEED}")  # noqa: T201
    payload = random.Random(SEED).randbytes(12_000_000)
    before = cloud.counts["BlobCreate"]
    assert await outer.remote.aio(way, "echo", [payload, "small"], by_name) == [payload, "small"]
    assert cloud.counts["BlobCreate"] == before + 4


@pytest.mark.parametrize("way", ["remote", "map"])
async def test_a_failure_of_the_inner_function_is_retried(outer: Any, tmp_path: Path, way: str) -> None:
    call = await outer.spawn.aio(way, "fail once", [str(tmp_path / "notes")])
    assert await call.get.aio(timeout=120) == [2]


@pytest.mark.parametrize("way", ["remote", "map"])
async def test_a_killed_inner_container_is_retried_in_another(outer: Any, tmp_path: Path, way: str) -> None:
    call, notes = await _start(outer, way, "sleep once", tmp_path)
    os.kill(int(notes.read_text()), signal.SIGKILL)
    assert await call.get.aio(timeout=120) == [2]
    first, second = notes.read_text().split()
    assert first != second


async def test_a_cancelled_function_can_cancel_what_it_spawned(outer: Any, tmp_path: Path) -> None:
    call, notes = await _start(outer, "spawn", "wait", tmp_path)
    await call.cancel.aio()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=120)
    await eventually(lambda: notes.read_text().endswith("cancelled\n"))


@pytest.mark.parametrize("way", ["remote", "map"])
async def test_cancelling_a_call_does_not_end_the_calls_that_its_function_made(
    outer: Any, tmp_path: Path, way: str
) -> None:
    """Nobody promises that Modal would: a function that must not leave work behind ends it itself."""
    call, notes = await _start(outer, way, "wait", tmp_path)
    await call.cancel.aio()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=120)
    (tmp_path / "go").touch()
    await eventually(lambda: notes.read_text().endswith("done\n"))
