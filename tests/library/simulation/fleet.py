"""The machines of a scenario: when they die, freeze and come back, and the network between them and the clients."""

import asyncio
import random
from datetime import timedelta
from itertools import count

from tests.library.simulation.effects import Carrier
from tests.library.simulation.history import UNKNOWN, Answer, Request
from tests.library.simulation.machines import Machine, Settings
from tests.library.simulation.store import Store
from tests.library.simulation.weather import Weather


class Fleet:
    """Machines by number; None is one that has died and has not started again.

    `lag_s` is the longest that the clocks of one have stood.
    """

    def __init__(
        self,
        store: Store,
        carrier: Carrier,
        rng: random.Random,
        weather: Weather,
        settings: Settings,
        machines: int,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self.loop = store.loop
        self._rng = rng
        self._weather = weather
        self._settings = settings
        self._runs = count(1)
        self._skews = [timedelta(seconds=rng.uniform(-1, 1) * weather.skew_s) for _ in range(machines)]
        self._dead: list[Machine] = []
        self.calm = False
        self.settled_s = 0.0
        self.lag_s = 0.0
        self.machines: list[Machine | None] = [self._start(number) for number in range(machines)]

    async def ask(self, number: int, request: Request, patience_s: float) -> Answer:
        """The answer of machine `number`; UNKNOWN when none came in time."""
        heard: asyncio.Future[Answer] = self.loop.create_future()
        asked: list[tuple[Machine, asyncio.Task[None]]] = []
        lost = None if self._rng.random() >= self._network_faults else self._rng.choice(("question", "answer"))

        def settle(answer: Answer | None) -> None:
            if not heard.done():
                heard.set_result(answer or UNKNOWN)

        def reply(answer: Answer | None) -> None:
            if lost != "answer":
                self.loop.call_outside(self._network_s(), settle, answer)

        def deliver() -> None:
            machine = self.machines[number]
            if machine is None:
                reply(None)
            elif lost != "question":
                asked.append((machine, machine.accept(request, reply)))

        self.loop.call_outside(self._network_s(), deliver)
        self.loop.call_outside(patience_s, settle, None)
        answer = await heard
        if answer is UNKNOWN and self._weather.hang_up_cancels:
            for machine, task in asked:
                machine.hang_up(task)
        return answer

    def recover(self) -> None:
        """From now on nothing fails; what has died starts at once, what is frozen comes back in its time."""
        self.calm = True
        self._carrier.calm = True
        for number, machine in enumerate(self.machines):
            if machine is None:
                self.machines[number] = self._start(number)
            else:
                machine.plan.clear()

    def fresh(self) -> Machine:
        """One more machine, with nothing cached."""
        return Machine("fresh", self._store, self._carrier, self._settings, timedelta(), self._runs)

    @property
    def _network_faults(self) -> float:
        return 0.0 if self.calm else self._weather.network_faults

    def _network_s(self) -> float:
        return self._rng.random() * 0.02

    def _start(self, number: int) -> Machine:
        machine = Machine(f"m{number}", self._store, self._carrier, self._settings, self._skews[number], self._runs)
        if not self.calm:
            for expected, event in ((self._weather.deaths, self._die), (self._weather.pauses, self._freeze)):
                for _ in range(int(expected + self._rng.random())):
                    before = self._rng.randrange(1, self._weather.life)
                    machine.plan[before] = lambda event=event: event(number, machine)  # type: ignore[misc]
        return machine

    def _die(self, number: int, machine: Machine) -> None:
        self._store.note(machine.name, "dies")
        machine.die()
        self._dead.append(machine)
        self.machines[number] = None
        self.loop.call_outside(self._rng.choice((0.0, 0.5, 5.0)), self._restart, number)

    def _restart(self, number: int) -> None:
        if self.machines[number] is None:
            self.machines[number] = self._start(number)
            self._store.note(f"m{number}", "starts")

    def _freeze(self, number: int, machine: Machine) -> None:
        pause_s = self._rng.random() * self._weather.pause_s
        self._store.note(machine.name, f"freezes for {pause_s:.1f} s")
        machine.frozen = True
        self.settled_s = max(self.settled_s, self.loop.world_s + pause_s)
        self.loop.call_outside(pause_s, self._thaw, machine, pause_s)

    def _thaw(self, machine: Machine, pause_s: float) -> None:
        self._store.note(machine.name, "goes on")
        self.loop.thaw(machine, pause_s if self._weather.clock_stops else 0.0)
        self.lag_s = max(self.lag_s, machine.lag_s)
