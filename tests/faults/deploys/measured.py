"""One deploy of the product's backend under load: what requests and sockets met, before it and during it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.app.waiting import until as until_found
from tests.faults.deploys.exports import Export, begin_export
from tests.faults.deploys.load import Answer, Load, Writer, mixed_calls, p95_s
from tests.faults.deploys.sockets import Listener
from tests.faults.deploys.system import System, running_system

RATE_PER_S = 50.0
EXPORTS = 5
SOCKETS = 20
ANSWERS_BEFORE = 200
ANSWERS_AFTER = 100
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Measured:
    """`games` are the opponents that each user's list of games has at the end; `versions` is what machines say.

    The load `began`, the deploy began at `deploying` and ended at `deployed` (monotonic clock, seconds).
    """

    answers: list[Answer]
    listeners: list[Listener]
    games: dict[str, list[str]]
    versions: set[str]
    began: float
    deploying: float
    deployed: float

    @property
    def p95_before_s(self) -> float:
        return p95_s(self.answers, self.began, self.deploying)

    @property
    def p95_during_s(self) -> float:
        return p95_s(self.answers, self.deploying, self.deployed)

    @property
    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.failure is not None]


async def measure_deploy(state: Path, strategy: str) -> Measured:
    """Two machines, 50 requests a second, 20 sockets on exports under way; then one deploy, then the exports end."""
    async with running_system(state) as system:
        exports = [await begin_export(system.url, f"user-{number}") for number in range(EXPORTS)]
        listeners = [Listener(system.url, export.id, export.user) for export in exports * (SOCKETS // EXPORTS)]
        listening = [asyncio.create_task(listener.run()) for listener in listeners]
        try:
            await until(lambda: all(listener.last is not None for listener in listeners))
            async with load_on(system, exports) as load:
                began = time.monotonic()
                await answered(load, ANSWERS_BEFORE)
                deploying = time.monotonic()
                await system.deploy(strategy, "v2")
                deployed = time.monotonic()
                await answered(load, ANSWERS_AFTER)
            await until(lambda: all(listener.caught_up for listener in listeners), system.logs)
            system.finish_renders()
            await asyncio.wait_for(asyncio.gather(*listening), PATIENCE_S)
        finally:
            for task in listening:
                task.cancel()
        return Measured(
            answers=load.answers,
            listeners=listeners,
            games={export.user: await opponents(system.url, export.user) for export in exports},
            versions=await versions(system),
            began=began,
            deploying=deploying,
            deployed=deployed,
        )


def load_on(system: System, exports: list[Export]) -> Load:
    writers = [Writer(export.user, export.media_id) for export in exports]
    return Load(system.url, RATE_PER_S, mixed_calls(writers))


async def answered(load: Load, more: int) -> None:
    """Until that many more requests were answered."""
    wanted = len(load.answers) + more
    await until(lambda: len(load.answers) >= wanted)


async def until(
    condition: Callable[[], bool], explain: Callable[[], str] = str, patience_s: float = PATIENCE_S
) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {condition}: {explain()}"
        await asyncio.sleep(0.02)


async def opponents(url: str, user: str) -> list[str]:
    """Of the newest version: a read that the store does not confirm in time tells of an earlier one, and says so."""
    async with httpx.AsyncClient(base_url=url, headers={"X-User-ID": user}, timeout=PATIENCE_S) as client:

        async def fresh() -> list[str] | None:
            answer = await client.get("/api/games")
            assert answer.status_code == 200, answer.text
            listed = [game["opponent"] for game in answer.json()["items"]]
            return listed if answer.headers["x-sync-status"] == "synced" else None

        return await until_found(fresh)


async def versions(system: System) -> set[str]:
    """Of as many answers as would find a machine of another version among few."""
    async with httpx.AsyncClient(base_url=system.url, timeout=PATIENCE_S) as client:
        answers = await asyncio.gather(*(client.get("/api/health") for _ in range(20)))
        return {answer.json()["version"] for answer in answers}
