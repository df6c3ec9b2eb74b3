"""Several processes and a store that loses requests and answers: no acknowledged write is lost or done twice."""

import asyncio
import random

import pytest

from app.kit.errors import UnavailableError
from app.library import log
from app.library.intent import Idempotency, Intent
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects

SEEDS = range(12)
CLIENTS = 4
WRITES = 6


class Unreliable(MemoryObjects):
    """Loses a third of all calls, before or after they take effect; some land only after a delay."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.reliable = False
        self.late: list[asyncio.Task[str | None]] = []
        self.fault = self._fate
        self._rng = rng

    def _fate(self, call: str, key: str) -> str | None:
        return None if self.reliable else self._rng.choice((None, None, None, None, "before", "after"))

    async def create(self, key: str, body: bytes) -> str | None:
        for _ in range(self._rng.randrange(3)):
            await asyncio.sleep(0)
        if not self.reliable and self._rng.random() < 0.1:
            self.late.append(asyncio.create_task(self._land_late(key, body)))
        return await super().create(key, body)

    async def _land_late(self, key: str, body: bytes) -> str | None:
        """A request that a network held back, long after its sender gave up on it."""
        for _ in range(self._rng.randrange(50)):
            await asyncio.sleep(0)
        if key in self.bodies:
            return None
        self.bodies[key] = body
        return "late"


async def write_all(rng: random.Random, objects: Unreliable, client: int) -> list[str]:
    """Writes with retries under one key each, as the web client does; the names that were acknowledged."""
    patience = rng.choice((0.0, 5.0))
    process = opened(objects, patience)
    acknowledged = []
    for number in range(WRITES):
        name = f"{client}-{number}"
        intent = Intent(f"tab-{client}", idempotency=Idempotency(name, name))
        for _ in range(200):
            if rng.random() < 0.2:
                process = opened(objects, patience)
            try:
                note = await process.commit(OWNER, intent, add(name), Note)
            except UnavailableError:
                continue
            assert note.id == name
            acknowledged.append(name)
            break
    return acknowledged


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_acknowledged_write_is_there_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(log, "_LONGEST_PAUSE_S", 0.0)
    rng = random.Random(seed)
    objects = Unreliable(rng)
    results = await asyncio.gather(*(write_all(rng, objects, client) for client in range(CLIENTS)))
    await asyncio.gather(*objects.late)
    objects.reliable = True
    stored = await read(opened(objects))
    acknowledged = sorted(name for names in results for name in names)
    assert sorted(stored) == acknowledged
    assert len(acknowledged) == CLIENTS * WRITES
    seqs = sorted(KEYS.log_seq(key) for key in objects.bodies)
    assert seqs == list(range(1, len(seqs) + 1))
