"""Ending calls and containers from outside."""

from pathlib import Path
from typing import Any

import modal
import pytest
from modal_proto import api_pb2

from infra.localcloud.modal import scheduler
from tests.infra.localcloud.modal.harness import ENVIRONMENT, eventually, function, stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _start(client: modal.Client, action: str, folder: Path) -> Any:
    """Spawns an action of the sample app that sleeps until it is ended, and waits until it runs."""
    notes = folder / "notes"
    call = await function(client, "work").spawn.aio(action, str(notes))
    await eventually(lambda: notes.exists() and notes.read_text().endswith("\n"))
    return call


async def test_cancelling_a_running_call_ends_it_and_keeps_its_container(client: modal.Client, tmp_path: Path) -> None:
    work = function(client, "work")
    call = await _start(client, "sleep once", tmp_path)
    container = (await work.get_current_stats.aio()).num_total_runners
    await call.cancel.aio()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=120)
    assert (await work.get_current_stats.aio()).num_total_runners == container == 1


async def test_a_call_that_ignores_its_cancellation_is_killed(
    client: modal.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "CANCEL_GRACE_S", 0.2)
    call = await _start(client, "ignore cancellation", tmp_path)
    await call.cancel.aio()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=120)


async def test_cancelling_with_terminate_kills_the_container_at_once(client: modal.Client, tmp_path: Path) -> None:
    call = await _start(client, "ignore cancellation", tmp_path)
    await call.cancel.aio(terminate_containers=True)
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=120)


async def test_cancelling_a_waiting_call_never_runs_it(client: modal.Client, tmp_path: Path) -> None:
    running = await _start(client, "sleep once", tmp_path)
    never = tmp_path / "never"
    waiting = await function(client, "work").spawn.aio("sleep once", str(never))
    await waiting.cancel.aio()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await waiting.get.aio(timeout=0)
    await running.cancel.aio(terminate_containers=True)
    assert await function(client, "work").remote.aio("double", 2) == 4
    assert not never.exists()


async def test_cancelling_a_call_that_waits_for_its_retry_ends_it(client: modal.Client) -> None:
    call = await function(client, "patient").spawn.aio("to-be-cancelled")
    attempts = modal.Dict.from_name("attempts", environment_name=ENVIRONMENT, create_if_missing=True, client=client)

    async def was_tried() -> bool:
        return bool(await attempts.contains.aio("to-be-cancelled"))

    await eventually(was_tried)
    await call.cancel.aio()
    with pytest.raises((modal.exception.RemoteError, ValueError), match=r"cancelled|attempt 1"):
        await call.get.aio(timeout=120)
    assert await attempts.get.aio("to-be-cancelled") == 1


async def test_the_call_of_a_stopped_container_runs_again_in_another(client: modal.Client, tmp_path: Path) -> None:
    call = await _start(client, "sleep once", tmp_path)
    notes = tmp_path / "notes"
    [first] = notes.read_text().split()
    await stub(client).ContainerStop(api_pb2.ContainerStopRequest(task_id=first))
    assert await call.get.aio(timeout=120) == "woken"
    [_, second] = notes.read_text().split()
    assert second != first
