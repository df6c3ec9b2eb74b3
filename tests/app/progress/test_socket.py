import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.kit.metrics import SOCKETS
from app.progress.hub import ProgressHub
from app.progress.socket import stream
from infra.localcloud.asgi import AsgiServer
from tests.app.progress.counting import Count, count, last
from tests.app.waiting import PATIENCE_S, until_true

KEY = "key"


class Station:
    """A server with one socket; `look` answers for jobs elsewhere."""

    def __init__(self, *, heartbeat_s: float, look_s: float) -> None:
        self.hub: ProgressHub[Count] = ProgressHub()
        self.elsewhere: Callable[[], Count | None] = lambda: None
        self.ended = asyncio.Event()
        self.first = [Count(type="snapshot", number=10)]
        self._limits = {"heartbeat_s": heartbeat_s, "look_s": look_s}

    @property
    def has_taken_all(self) -> bool:
        """Nothing that was published waits for the socket's loop."""
        return all(subscription._latest is None for subscription in self.hub._subscriptions[KEY])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()

        async def look() -> Count | None:
            return self.elsewhere()

        try:
            with self.hub.subscribe(KEY) as subscription:
                await stream(websocket, subscription, self.first, look, **self._limits)
        finally:
            self.ended.set()


@asynccontextmanager
async def tuned(heartbeat_s: float = 100.0, look_s: float = 100.0) -> AsyncIterator[tuple[Station, ClientConnection]]:
    station = Station(heartbeat_s=heartbeat_s, look_s=look_s)
    server = AsgiServer(station, websockets=True)
    await server.start()
    try:
        async with connect(f"ws://127.0.0.1:{server.port}/") as client:
            yield station, client
    finally:
        await server.stop()


async def heard(client: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await client.recv())
    return message


async def test_a_snapshot_comes_first_and_the_final_message_closes_normally() -> None:
    async with tuned() as (station, client):
        assert await heard(client) == {"type": "snapshot", "number": 10}
        station.hub.publish(KEY, count(11))
        assert await heard(client) == {"type": "progress", "number": 11}
        station.hub.publish(KEY, last(12))
        assert await heard(client) == {"type": "complete", "number": 12}
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1000


async def test_what_is_older_than_the_snapshot_is_left_out() -> None:
    async with tuned() as (station, client):
        await heard(client)
        station.hub.publish(KEY, count(9))
        await until_true(lambda: station.has_taken_all)
        station.hub.publish(KEY, count(11))
        assert await heard(client) == {"type": "progress", "number": 11}


async def test_silence_is_filled_with_heartbeats_of_the_last_state() -> None:
    async with tuned(heartbeat_s=0.02, look_s=0.01) as (_, client):
        await heard(client)
        assert [await heard(client) for _ in range(3)] == [{"type": "heartbeat", "number": 10}] * 3


async def test_a_job_elsewhere_is_looked_at() -> None:
    async with tuned(look_s=0.01) as (station, client):
        await heard(client)
        station.elsewhere = lambda: count(20)
        assert await heard(client) == {"type": "progress", "number": 20}
        station.elsewhere = lambda: last(21)
        assert await heard(client) == {"type": "complete", "number": 21}


async def test_a_client_that_leaves_ends_the_loop_and_is_not_counted() -> None:
    async with tuned() as (station, client):
        await heard(client)
        assert SOCKETS.value() == 1
        await client.close()
        await asyncio.wait_for(station.ended.wait(), PATIENCE_S)
    assert SOCKETS.value() == 0


async def test_what_clients_say_is_ignored() -> None:
    async with tuned() as (station, client):
        await heard(client)
        await client.send("hello?")
        station.hub.publish(KEY, count(11))
        assert await heard(client) == {"type": "progress", "number": 11}


async def test_many_fast_messages_reach_a_slow_client_as_few() -> None:
    async with tuned() as (station, client):
        await heard(client)
        for number in range(11, 5000):
            station.hub.publish(KEY, count(number))
        station.hub.publish(KEY, last(5000))
        seen = [json.loads(message)["number"] async for message in client]
        assert seen[-1] == 5000
        assert len(seen) < 10
    await until_true(lambda: SOCKETS.value() == 0)
