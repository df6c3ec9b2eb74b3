"""The life of machines in a running stand-in."""

import httpx
import pytest

from infra.localcloud.fly import Fly
from infra.localcloud.fly.machine import runner as runner_module
from infra.localcloud.fly.machine.runner import MachineRunner
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.waiting import is_alive, until

pytestmark = MODULE_LOOP


def only(fly: Fly) -> MachineRunner:
    (runner,) = fly.app(APP).machines.values()
    return runner


async def test_the_environment_is_complete_and_has_nothing_of_the_stand_ins_own(
    fly: Fly, flyctl: Flyctl, app: str, front: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_STAND_IN", "must not leak")
    await flyctl("secrets", "import", "--stage", "-a", app, stdin='FROM_SECRET="a b"\n')
    assert (await flyctl.deploy("--build-arg", "GIT_SHA=abc123", env={"FROM_FLAG": "yes"})).exit == 0
    environment = (await front.get("/environment")).json()
    machine = only(fly).record
    assert environment.pop("PATH")
    assert int(environment.pop("PORT")) == only(fly).port
    # What the shell or Python itself adds to any process.
    system = ("LANG", "HOME", "LC_CTYPE", "PWD", "SHLVL", "_")
    assert {name: value for name, value in environment.items() if name not in system} == {
        "FROM_IMAGE": "yes",
        "GIT_SHA": "abc123",
        "PYTHONUNBUFFERED": "1",
        "FROM_TOML": "yes",
        "FROM_FLAG": "yes",
        "FROM_SECRET": "a b",
        "HOST": "127.0.0.1",
        "FLY_APP_NAME": APP,
        "FLY_ALLOC_ID": machine.id,
        "FLY_MACHINE_ID": machine.id,
        "FLY_MACHINE_VERSION": machine.instance_id,
        "FLY_RELEASE_VERSION": "1",
        "FLY_REGION": "lax",
        "PRIMARY_REGION": "lax",
        "FLY_PROCESS_GROUP": "app",
        "FLY_IMAGE_REF": str(machine.image),
        "FLY_VM_MEMORY_MB": "512",
    }


async def test_a_crashed_machine_starts_again(
    fly: Fly, deployed: str, front: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_FIRST_DELAY_S", 0.01)
    first = (await front.get("/child")).json()
    with pytest.raises(httpx.HTTPStatusError):
        (await front.get("/end?code=9")).raise_for_status()
    await until(lambda: only(fly).crashes == 1)
    second = (await front.get("/child")).json()
    assert second["pid"] != first["pid"]
    assert not is_alive(first["child"])
    assert only(fly).crashes == 1
    assert [event.type for event in only(fly).record.events[:2]] == ["start", "exit"]


async def test_a_machine_that_ends_well_stays_stopped_until_it_is_needed(
    fly: Fly, deployed: str, front: httpx.AsyncClient
) -> None:
    await front.get("/end?code=0")
    await until(lambda: only(fly).record.state == "stopped")
    assert only(fly).record.wanted == "stopped"
    assert (await front.get("/")).status_code == 200


async def test_restarts_end_after_the_limit(
    fly: Fly, flyctl: Flyctl, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_FIRST_DELAY_S", 0.0)
    monkeypatch.setattr(runner_module, "RESTART_LIMIT", 2)
    assert (await flyctl.deploy("--detach", env={"BROKEN": "crash"})).exit == 0
    await until(lambda: only(fly).crashes == 3)
    assert only(fly).record.state == "stopped"
    assert not only(fly).pending


async def test_a_killed_machine_leaves_nothing_and_comes_back(
    fly: Fly, deployed: str, front: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_FIRST_DELAY_S", 0.01)
    pids = (await front.get("/child")).json()
    await only(fly).kill()
    assert not is_alive(pids["pid"])
    assert not is_alive(pids["child"])
    assert (await front.get("/")).status_code == 200
