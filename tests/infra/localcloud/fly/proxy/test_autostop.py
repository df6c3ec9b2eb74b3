"""Idle machines are stopped, one at a pass, and never one too many."""

import asyncio
from pathlib import Path

import httpx

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl, Gate, copy_sample, start_fly
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP


def states(fly: Fly) -> list[str]:
    return sorted(runner.record.state for runner in fly.app(APP).machines.values())


async def test_one_idle_machine_is_stopped_at_each_pass(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    await flyctl("scale", "count", "3", "--yes", "-a", APP)
    for expected in (
        ["started", "started", "stopped"],
        ["started", "stopped", "stopped"],
        ["stopped", "stopped", "stopped"],
        ["stopped", "stopped", "stopped"],
    ):
        await fly.stop_idle(APP)
        assert states(fly) == expected


async def test_a_busy_machine_is_left_alone(fly: Fly, deployed: str, front: httpx.AsyncClient, gate: Gate) -> None:
    (runner,) = fly.app(APP).machines.values()
    request = asyncio.create_task(front.get(gate.path))
    await until(lambda: runner.load == 1)
    await fly.stop_idle(APP)
    assert states(fly) == ["started"]
    gate.open()
    assert (await request).status_code == 200


async def test_a_deploy_in_progress_is_not_disturbed(fly: Fly, deployed: str) -> None:
    async with fly.app(APP).lease:
        await fly.stop_idle(APP)
    assert states(fly) == ["started"]


async def test_the_minimum_keeps_running(fly: Fly, flyctl: Flyctl, app: str) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace("min_machines_running = 0", "min_machines_running = 1"))
    await flyctl.deploy()
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    await fly.stop_idle(APP)
    await fly.stop_idle(APP)
    assert states(fly) == ["started", "stopped"]


async def test_machines_without_auto_stop_run_on(fly: Fly, flyctl: Flyctl, app: str) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace('auto_stop_machines = "stop"', 'auto_stop_machines = "off"'))
    await flyctl.deploy()
    await fly.stop_idle(APP)
    assert states(fly) == ["started"]


async def test_the_loop_stops_what_had_no_request_for_an_interval(tmp_path: Path) -> None:
    quick = start_fly(tmp_path / "state", autostop_interval_s=0.2)
    await quick.start()
    flyctl = Flyctl(quick, copy_sample(tmp_path / "sample"))
    try:
        await flyctl("apps", "create", APP)
        assert (await flyctl.deploy()).exit == 0
        await until(lambda: states(quick) == ["stopped"])
    finally:
        await quick.stop()
