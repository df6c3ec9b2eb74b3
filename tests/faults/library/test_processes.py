"""Two servers of two workers each, eight clients of one user, SIGKILL every second: no acknowledged write is lost."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.localcloud.faults.injector import Faults
from infra.localcloud.faults.plan import FaultPlan
from infra.localcloud.r2 import R2
from tests.app.test_process import BUCKET
from tests.app.waiting import PATIENCE_S
from tests.app.waiting import until as until_found
from tests.faults.deploys.measured import until
from tests.faults.library.clients import NEW_MEDIA, Session, Tally, Writer
from tests.faults.library.servers import Server, living, running
from tests.ports import free_ports

SEED = 20260912
CLIENTS, SESSIONS = 8, 3
ACKNOWLEDGED, KILLS = 500, 8
BETWEEN_KILLS_S = 1.0
LONGEST_S = 600.0
"""Bounds a hang only: each kill is followed by the start of three processes, which a busy machine takes long for."""
# A write is on its way for a while, as to the real store, so that kills find some there; the store has bad moments too.
PUT = {"service": "r2", "call": "PUT */log/*", "latency_ms": 15}
STORE = FaultPlan.model_validate(
    {
        "seed": SEED,
        "rules": [
            {**PUT, "fault": "lost_request", "probability": 0.02},
            {**PUT, "fault": "lost_response", "probability": 0.02},
            {**PUT, "fault": "latency"},
        ],
    }
)


@pytest.fixture
async def r2(tmp_path: Path) -> AsyncIterator[R2]:
    stand_in = R2(tmp_path / "r2", faults=Faults(STORE))
    try:
        stand_in.control.create_bucket(BUCKET)
        stand_in.control.grant("the-key", "the-secret", BUCKET, "write")
        await stand_in.start()
        yield stand_in
    finally:
        await stand_in.stop()


async def keep_killing(servers: list[Server], stop: asyncio.Event, kills: list[float]) -> None:
    """In turns, when a second has passed and both are healthy, so that one of them serves; `kills` gets the times."""
    for victim in itertools.cycle(servers):
        began = time.monotonic()
        for server in servers:
            await server.healthy()
        try:
            async with asyncio.timeout(BETWEEN_KILLS_S - (time.monotonic() - began)):
                await stop.wait()
            return
        except TimeoutError:
            await victim.kill()
            kills.append(time.monotonic())
            await victim.start()


async def games(server: Server) -> list[dict[str, str]]:
    """As they are: while the store has a bad moment the server answers 503, or what it knew."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:

        async def fresh() -> httpx.Response | None:
            response = await client.get("/api/games")
            assert response.status_code in (200, 503), response.text
            return response if response.headers.get("x-sync-status") == "synced" else None

        found: list[dict[str, str]] = (await until_found(fresh)).json()["items"]
        return found


async def new_media(server: Server) -> str:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:

        async def made() -> httpx.Response | None:
            response = await client.post("/api/media", json=NEW_MEDIA, headers={"Idempotency-Key": "the recording"})
            assert response.status_code in (201, 503), response.text
            return response if response.status_code == 201 else None

        return str((await until_found(made)).json()["media"]["id"])


async def write_and_kill(servers: list[Server], tally: Tally, kills: list[float]) -> None:
    """Until there are enough of both."""
    draw, stop = random.Random(SEED), asyncio.Event()
    urls = [server.url for server in servers]
    sessions = [Session(f"tab-{number}") for number in range(SESSIONS)]
    media_id = await new_media(servers[0])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_killing(servers, stop, kills))
        for number in range(CLIENTS):
            session = sessions[number % SESSIONS]
            writer = Writer(f"client-{number}", session, urls, tally, random.Random(draw.random()))
            tasks.create_task(writer.run(media_id, stop))
        await until(
            lambda: len(tally.acknowledged) >= ACKNOWLEDGED and len(kills) >= KILLS, lambda: f"{tally}", LONGEST_S
        )
        stop.set()


@pytest.mark.timeout(900)
async def test_no_acknowledged_write_is_lost_or_made_twice_while_servers_are_killed(r2: R2, tmp_path: Path) -> None:
    tally, kills = Tally(), list[float]()
    servers = [Server(r2, port, tmp_path / f"server-{port}.log") for port in free_ports(2)]
    began = time.monotonic()
    async with running(servers):
        await write_and_kill(servers, tally, kills)
        for server in servers:
            await server.kill()
            await server.start()
        for server in servers:
            await server.healthy()
        found = [await games(server) for server in servers]
    made = {game["opponent"] for game in found[0]}
    print(  # noqa: T201 -- how much happened is what the run is worth
        f"seed {SEED}: {time.monotonic() - began:.0f} s, {len(kills)} kills, {len(tally.acknowledged)} acknowledged, "
        f"{len(tally.refused)} times 409, {len(tally.given_up)} given up of which {len(tally.given_up & made)} made, "
        f"retries {dict(tally.retries)}"
    )
    assert [tally.mistakes(each) for each in found] == [[], []]
    assert tally.backwards == []
    assert found[0] == found[1]
    assert tally.refused
    assert tally.retries.total() > 0
    assert [living(group) for server in servers for group in server.groups] == [[] for _ in range(len(kills) + 4)]
