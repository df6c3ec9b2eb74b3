"""Which machine gets a request, and what happens when none can."""

import asyncio
from collections import Counter
from collections.abc import Container

import httpx
import pytest

from infra.localcloud.fly import Fly
from infra.localcloud.fly.machine.runner import MachineRunner
from infra.localcloud.fly.proxy.balancer import Balancer, NoCandidateError
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl, Gate
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP
# The sample's limits.
SOFT, HARD = 2, 3


async def ask(front: httpx.AsyncClient, count: int, gate: Gate) -> list[httpx.Response]:
    return await asyncio.gather(*(front.get(gate.path) for _ in range(count)))


async def test_requests_go_to_the_machine_with_the_least_load(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient, gate: Gate
) -> None:
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    runners = list(fly.app(APP).machines.values())
    await until(lambda: all(runner.routable for runner in runners))
    asked = []
    for each in range(1, SOFT + 1):
        asked.append(asyncio.create_task(ask(front, 2, gate)))
        await until(lambda each=each: sum(runner.load for runner in runners) == 2 * each)  # type: ignore[misc]
        assert [runner.load for runner in runners] == [each, each]
    gate.open()
    answers = [answer for answered in asked for answer in await answered]
    assert sorted(Counter(answer.json()["machine"] for answer in answers).values()) == [SOFT, SOFT]


async def test_a_request_waits_while_a_stopped_machine_starts(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient
) -> None:
    (machine,) = fly.app(APP).machines
    await flyctl("machine", "stop", machine, "-a", APP)
    answers = await asyncio.gather(front.get("/"), front.get("/"), front.get("/"))
    assert {(answer.status_code, answer.json()["machine"]) for answer in answers} == {(200, machine)}


async def test_a_stopped_machine_stays_stopped_without_auto_start(
    fly: Fly, flyctl: Flyctl, app: str, front: httpx.AsyncClient
) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace("auto_start_machines = true", "auto_start_machines = false"))
    await flyctl.deploy()
    (machine,) = fly.app(APP).machines
    await flyctl("machine", "stop", machine, "-a", APP)
    assert (await front.get("/")).status_code == 503


async def test_load_above_the_soft_limit_starts_another_machine(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient, gate: Gate
) -> None:
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    first, second = fly.app(APP).machines.values()
    await flyctl("machine", "stop", second.record.id, "-a", APP)
    busy = asyncio.create_task(ask(front, SOFT, gate))
    await until(lambda: first.load == SOFT)
    over = await front.get("/")
    assert over.json()["machine"] == first.record.id
    await until(lambda: second.routable)
    assert (await front.get("/")).json()["machine"] == second.record.id
    gate.open()
    assert {answer.status_code for answer in await busy} == {200}


async def test_at_the_hard_limit_requests_wait_for_their_turn(
    fly: Fly, deployed: str, front: httpx.AsyncClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runner,) = fly.app(APP).machines.values()
    choose, arrived, loads = Balancer._choose, list[None](), list[int]()

    async def noted(self: Balancer, refused: Container[int | None]) -> MachineRunner:
        arrived.append(None)
        chosen = await choose(self, refused)
        loads.append(chosen.load)
        return chosen

    monkeypatch.setattr(Balancer, "_choose", noted)
    waiting = asyncio.create_task(ask(front, 3 * HARD, gate))
    await until(lambda: len(arrived) >= 3 * HARD)
    assert runner.load == HARD
    gate.open()
    assert {answer.status_code for answer in await waiting} == {200}
    assert len(loads) == 3 * HARD
    assert max(loads) + 1 == HARD


async def test_waiting_too_long_at_the_hard_limit_is_503(
    fly: Fly, deployed: str, front: httpx.AsyncClient, gate: Gate
) -> None:
    host = fly.app(APP)
    (runner,) = host.machines.values()
    busy = asyncio.create_task(ask(front, HARD, gate))
    await until(lambda: runner.load == HARD)
    with pytest.raises(NoCandidateError, match="hard limit") as caught:
        async with Balancer(host, hold_s=0.05).machine():
            pass
    assert caught.value.status == 503
    gate.open()
    assert {answer.status_code for answer in await busy} == {200}
