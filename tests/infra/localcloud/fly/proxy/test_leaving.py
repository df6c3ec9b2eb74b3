"""What requests and sockets meet while their machine is stopped for want of work, or to be replaced."""

import asyncio

import httpx
import pytest
import pytest_asyncio
import websockets
from websockets.asyncio.client import ClientConnection, connect

from infra.localcloud.fly import Fly
from infra.localcloud.fly.machine.runner import MachineRunner
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP
GOING_AWAY = 1001
# The sample's soft limit.
SOFT = 2


@pytest_asyncio.fixture(loop_scope="module")
async def pair(fly: Fly, flyctl: Flyctl, app: str) -> list[MachineRunner]:
    """Two healthy machines that serve ASGI."""
    result = await flyctl.deploy(env={"SERVER": "asgi"})
    assert result.exit == 0, result.err
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    runners = list(fly.app(APP).machines.values())
    await until(lambda: all(runner.routable for runner in runners))
    return runners


async def open_socket(fly: Fly) -> ClientConnection:
    """A socket that a machine has answered on."""
    socket = await connect(f"ws://127.0.0.1:{fly.fronts[APP]}/")
    await socket.send("open")
    assert await socket.recv() == "open"
    return socket


async def test_one_of_two_machines_is_stopped_after_its_sockets_got_a_close_frame(
    fly: Fly, pair: list[MachineRunner]
) -> None:
    sockets = [await open_socket(fly), await open_socket(fly)]
    assert [runner.load for runner in pair] == [runner.sockets for runner in pair] == [1, 1]
    closings = {asyncio.create_task(socket.wait_closed()): socket for socket in sockets}
    await fly.stop_idle(APP)
    (closing,), open_ones = await asyncio.wait(closings, timeout=120, return_when=asyncio.FIRST_COMPLETED)
    assert (closings[closing].close_code, len(open_ones)) == (GOING_AWAY, 1)
    (left,) = (runner for runner in pair if runner.running)
    assert (left.load, left.sockets) == (1, 1)
    again = await open_socket(fly)
    assert left.sockets == 2
    for socket in (*sockets, again):
        await socket.close()


async def test_the_last_machine_is_not_stopped_under_a_socket(fly: Fly, flyctl: Flyctl, app: str) -> None:
    assert (await flyctl.deploy(env={"SERVER": "asgi"})).exit == 0
    (runner,) = fly.app(APP).machines.values()
    socket = await open_socket(fly)
    await fly.stop_idle(APP)
    assert runner.running
    await socket.send("still here")
    assert await socket.recv() == "still here"
    await socket.close()
    await until(lambda: runner.load == 0)
    await fly.stop_idle(APP)
    assert runner.record.state == "stopped"


async def test_no_machine_is_stopped_while_another_is_at_its_soft_limit(fly: Fly, pair: list[MachineRunner]) -> None:
    pair[1].record.cordoned = True
    sockets = [await open_socket(fly) for _ in range(SOFT)]
    pair[1].record.cordoned = False
    assert [runner.load for runner in pair] == [SOFT, 0]
    await fly.stop_idle(APP)
    assert all(runner.running for runner in pair)
    for socket in sockets:
        await socket.close()


async def test_a_request_for_a_machine_that_is_just_stopping_waits_and_wakes_it(
    fly: Fly, flyctl: Flyctl, app: str, front: httpx.AsyncClient
) -> None:
    assert (await flyctl.deploy(env={"SERVER": "asgi"})).exit == 0
    (runner,) = fly.app(APP).machines.values()
    begun = asyncio.create_task(front.get("/slow?s=0.8"))
    await until(lambda: runner.load == 1)
    stopping = asyncio.create_task(runner.stop())
    await until(lambda: runner.record.state == "stopping")
    answers = await asyncio.gather(*(front.get("/slow?s=0") for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (await begun).status_code == 200
    await stopping


async def test_a_request_longer_than_the_drain_ends_within_kill_timeout(
    fly: Fly, flyctl: Flyctl, app: str, front: httpx.AsyncClient
) -> None:
    """SIGTERM lets uvicorn finish what it has, in a kill timeout of a minute; the machine is updated behind it."""
    assert (await flyctl.deploy(env={"SERVER": "asgi"})).exit == 0
    (runner,) = fly.app(APP).machines.values()
    begun = asyncio.create_task(front.get("/slow?s=2"))
    await until(lambda: runner.load == 1)
    assert (await flyctl.deploy(env={"SERVER": "asgi"})).exit == 0
    assert (await begun).status_code == 200


async def test_what_is_not_done_after_kill_timeout_is_cut(
    fly: Fly, flyctl: Flyctl, app: str, front: httpx.AsyncClient
) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace('kill_timeout = "60s"', 'kill_timeout = "100ms"'))
    assert (await flyctl.deploy(env={"SERVER": "asgi"})).exit == 0
    (runner,) = fly.app(APP).machines.values()
    begun = asyncio.create_task(front.get("/slow?s=30"))
    await until(lambda: runner.load == 1)
    await runner.stop()
    assert (await begun).status_code == 502


async def test_sockets_do_not_keep_a_machine_from_its_signal(fly: Fly, pair: list[MachineRunner]) -> None:
    """They never end by themselves: a drain that waited for them would last its whole time."""
    socket = await open_socket(fly)
    (runner,) = (runner for runner in pair if runner.sockets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.localcloud.fly.machine.runner.DRAIN_S", 3600.0)
        await asyncio.wait_for(runner.stop(), 45)
    with pytest.raises(websockets.ConnectionClosed):
        await socket.recv()
