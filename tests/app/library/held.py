"""A store whose calls a test holds back, to have other things happen meanwhile."""

import asyncio
from collections import Counter

from app.storage.port import Stored
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import until_true


class HeldObjects(MemoryObjects):
    """Calls named in `hold` wait before they take effect; those named in `hold_answers` have taken it."""

    def __init__(self, beside: MemoryObjects | None = None) -> None:
        """`beside`: the same bucket, as another process has it."""
        super().__init__()
        if beside is not None:
            self.bodies, self.times = beside.bodies, beside.times
        self.arrived: Counter[str] = Counter()
        self._gates: dict[tuple[str, str], asyncio.Event] = {}

    def hold(self, call: str) -> None:
        self._gates["before", call] = asyncio.Event()

    def hold_answers(self, call: str) -> None:
        self._gates["after", call] = asyncio.Event()

    def release(self, call: str) -> None:
        for when in ("before", "after"):
            gate = self._gates.pop((when, call), None)
            if gate is not None:
                gate.set()

    async def held(self, call: str, times: int = 1) -> None:
        """Until that many were or are held."""
        await until_true(lambda: self.arrived[call] >= times)

    async def create(self, key: str, body: bytes) -> str | None:
        await self._wait("before", "create")
        etag = await super().create(key, body)
        await self._wait("after", "create")
        return etag

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        await self._wait("before", "replace")
        return await super().replace(key, body, etag)

    async def get(self, key: str) -> Stored | None:
        await self._wait("before", "get")
        stored = await super().get(key)
        await self._wait("after", "get")
        return stored

    async def list(self, prefix: str, limit: int) -> list[str]:
        await self._wait("before", "list")
        return await super().list(prefix, limit)

    async def _wait(self, when: str, call: str) -> None:
        gate = self._gates.get((when, call))
        if gate is not None:
            self.arrived[call] += 1
            await gate.wait()
