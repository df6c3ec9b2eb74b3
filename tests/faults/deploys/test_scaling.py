"""Machines come and go under load: from none, by number, and by autostop. No request fails."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.faults.deploys.exports import begin_export
from tests.faults.deploys.load import Writer, mixed_calls
from tests.faults.deploys.measured import ANSWERS_AFTER, PATIENCE_S, answered, load_on, until
from tests.faults.deploys.sockets import Listener
from tests.faults.deploys.system import APP, System, running_system

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]
BURST = 20
GOING_AWAY, RESTART = 1001, 1012


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("scaling")) as running:
        yield running


def states(system: System) -> list[str]:
    return sorted(runner.record.state for runner in system.fly.app(APP).machines.values())


async def test_requests_wait_for_a_machine_that_is_woken_from_none(system: System) -> None:
    export = await begin_export(system.url, "sleeper")
    for _ in range(2):
        await system.fly.stop_idle(APP)
    assert states(system) == ["stopped", "stopped"]
    call = mixed_calls([Writer(export.user, export.media_id)])
    headers = {"X-User-ID": export.user}
    async with httpx.AsyncClient(base_url=system.url, headers=headers, timeout=PATIENCE_S) as client:
        calls = [call(number) for number in range(BURST)]
        answers = await asyncio.gather(*(client.request(each.method, each.path, json=each.body) for each in calls))
    assert [answer.status_code for answer in answers] == [each.expected for each in calls]
    assert {each.method for each in calls} == {"GET", "POST"}
    assert "started" in states(system)


async def test_a_socket_wakes_a_machine_too(system: System) -> None:
    export = await begin_export(system.url, "listener")
    for _ in range(2):
        await system.fly.stop_idle(APP)
    assert states(system) == ["stopped", "stopped"]
    listener = Listener(system.url, export.id, export.user)
    listening = asyncio.create_task(listener.run())
    await until(lambda: listener.last is not None, system.logs)
    assert listener.refused == []
    listening.cancel()


async def test_machines_are_added_and_removed_under_load(system: System) -> None:
    exports = [await begin_export(system.url, f"scaled-{number}") for number in range(3)]
    listeners = [Listener(system.url, export.id, export.user) for export in exports * 4]
    listening = [asyncio.create_task(listener.run()) for listener in listeners]
    await until(lambda: all(listener.last for listener in listeners), system.logs)
    async with load_on(system, exports) as load:
        for count in (3, 1, 2):
            await answered(load, ANSWERS_AFTER)
            await system.scale(count)
            assert len(states(system)) == count
        await answered(load, ANSWERS_AFTER)
    assert load.failures == []
    await until(lambda: all(listener.is_connected for listener in listeners), system.logs)
    for listener, task in zip(listeners, listening, strict=True):
        task.cancel()
        assert listener.refused == []
        assert {connection.code for connection in listener.connections[:-1]} <= {RESTART}
    assert any(len(listener.connections) > 1 for listener in listeners)


async def test_an_autostop_under_load_closes_sockets_first_and_loses_nothing(system: System) -> None:
    await system.scale(2)
    exports = [await begin_export(system.url, f"stopped-{number}") for number in range(2)]
    machines = list(system.fly.app(APP).machines.values())
    for runner in machines:
        await runner.start()
    await until(lambda: all(runner.routable for runner in machines), system.logs)
    listeners = [Listener(system.url, export.id, export.user) for export in exports * 3]
    listening = [asyncio.create_task(listener.run()) for listener in listeners]
    await until(lambda: all(listener.last for listener in listeners), system.logs)
    async with load_on(system, exports) as load:
        await answered(load, ANSWERS_AFTER)
        await system.fly.stop_idle(APP)
        assert states(system) == ["started", "stopped"]
        await answered(load, ANSWERS_AFTER)
    assert load.failures == []
    await until(lambda: all(listener.is_connected for listener in listeners), system.logs)
    codes = {connection.code for listener in listeners for connection in listener.connections[:-1]}
    assert codes == {GOING_AWAY}
    for listener, task in zip(listeners, listening, strict=True):
        task.cancel()
        assert listener.refused == []
