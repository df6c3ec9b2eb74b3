"""A browser tab: reads, and writes that it repeats with the same key until it knows; it moves between machines."""

import asyncio
import random
from itertools import count

from app.kit.owner import SYSTEM_SESSION
from tests.library.simulation.fleet import Fleet
from tests.library.simulation.history import Answer, Call, History, Request
from tests.library.simulation.weather import DAY_S

_ATTEMPTS = 4
_CONFLICTS = 2


class Habits:
    """What all sessions of a scenario have in common; `writes` are the names of all writes so far."""

    def __init__(self, rng: random.Random, machines: int, row_bytes: tuple[int, ...]) -> None:
        self.rng = rng
        self.machines = machines
        self.moves = rng.choice((0.0, 0.1, 0.5))
        self.think_s = rng.choice((0.0, 0.05, 1.0, 10.0))
        self.patience_s = rng.choice((2.0, 15.0, 60.0))
        self.reads = rng.choice((0.2, 0.5))
        self.comes_back = rng.random() < 0.1
        self.posts = rng.choice((0.0, 0.0, 0.0, 0.5))
        self.row_bytes = row_bytes
        self.numbers = count(1)
        self.writes: list[str] = []


class Session:
    """`name` is what it sends as X-Session-ID; `home` is the machine it asks first."""

    def __init__(self, name: str, home: int, fleet: Fleet, history: History, habits: Habits) -> None:
        self._name = name
        self._machine = home
        self._fleet = fleet
        self._history = history
        self._habits = habits
        self._rng = habits.rng
        self._known = 0
        self._seen: int | None = None

    async def run(self, actions: int) -> None:
        pause = self._rng.randrange(actions) if self._habits.comes_back else -1
        await self._read()
        for number in range(actions):
            await asyncio.sleep(self._rng.expovariate(1.0) * self._habits.think_s)
            if number == pause:
                await asyncio.sleep(self._rng.uniform(0.5, 3) * DAY_S)
            if self._rng.random() < self._habits.reads:
                await self._read()
            elif self._rng.random() < 0.2:
                await asyncio.gather(*(self._write() for _ in range(self._rng.randrange(2, 4))))
            else:
                await self._write()

    async def _read(self) -> None:
        """It names the highest version it was told, also by a conflict: less would be no news."""
        holds_s = self._rng.random() if self._rng.random() < 0.1 else 0.0
        may_be_stale = self._rng.random() < 0.8
        answer = await self._ask(
            Request("read", self._name, self._known or None, may_be_stale=may_be_stale, holds_s=holds_s)
        )
        if answer.status in ("ok", "stale"):
            self._saw(answer)

    async def _write(self) -> None:
        """A conflict is followed by a read, and then the user may do it once more: that is another write."""
        for _ in range(_CONFLICTS):
            answer = await self._write_until_known(self._new_write())
            if answer.status != "conflict" or self._rng.random() < 0.3:
                return
            await self._read()

    async def _write_until_known(self, request: Request) -> Answer:
        for attempt in range(_ATTEMPTS):
            answer = await self._ask(request)
            if answer.status == "ok":
                self._saw(answer)
            if answer.status not in ("unavailable", "unknown") or request.key is None:
                break
            await asyncio.sleep(self._rng.random() * 2**attempt)
        if answer.status == "ok" and self._rng.random() < 0.1:
            await self._repeat(request)
        return answer

    async def _repeat(self, request: Request) -> None:
        """The same again, as after an answer that got lost; or the key once more for something else."""
        if request.key is not None and self._rng.random() < 0.5:
            await self._ask(request)
        elif request.key is not None:
            await self._ask(request._replace(write=self._new_name(), reuses_key=True))

    def _new_write(self) -> Request:
        """The change of a user who looks at version `seen`; some are refused, few clients send no key or no version."""
        earlier = self._habits.writes[-4:]
        needs = self._rng.choice(earlier) if earlier and self._rng.random() < 0.3 else None
        name = self._new_name()
        return Request(
            "write",
            self._name,
            self._seen if self._rng.random() < 0.9 else None,
            write=name,
            key=f"key-{name}" if self._rng.random() < 0.9 else None,
            needs=needs,
            refuses=self._rng.random() < 0.1,
            size=self._rng.choice(self._habits.row_bytes),
            posts=self._rng.random() < self._habits.posts,
        )

    def _new_name(self) -> str:
        name = f"w{next(self._habits.numbers)}"
        self._habits.writes.append(name)
        return name

    async def _ask(self, request: Request) -> Answer:
        if self._rng.random() < self._habits.moves:
            self._machine = self._rng.randrange(self._habits.machines)
        loop = self._fleet.loop
        number = self._history.asked(loop.world_s, Call(request, self._known, loop.world_s), f"m{self._machine}")
        answer = await self._fleet.ask(self._machine, request, self._habits.patience_s)
        self._history.answered(loop.world_s, number, answer)
        if answer.status in ("unavailable", "unknown") and self._rng.random() < 0.3:
            self._machine = self._rng.randrange(self._habits.machines)
        if answer.version is not None:
            self._known = max(self._known, answer.version)
        return answer

    def _saw(self, answer: Answer) -> None:
        if answer.version is not None:
            self._seen = max(self._seen or 0, answer.version)


class Background(Session):
    """Jobs of the system: they write in its name, whatever version they find, once, and see no answer."""

    def __init__(self, fleet: Fleet, history: History, habits: Habits) -> None:
        super().__init__(SYSTEM_SESSION, 0, fleet, history, habits)

    async def run(self, actions: int) -> None:
        for _ in range(actions):
            await asyncio.sleep(self._rng.expovariate(1.0) * self._habits.think_s)
            self._machine = self._rng.randrange(self._habits.machines)
            posts = self._rng.random() < self._habits.posts
            await self._ask(Request("write", SYSTEM_SESSION, write=self._new_name(), posts=posts))
