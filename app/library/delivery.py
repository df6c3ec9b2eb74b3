"""Carries out what stands in the outboxes of the libraries that this process has opened, until the rows are gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.kit.owner import Owner
from app.library.outbox import Effect

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_OTHERS_AFTER_S = 60.0
_LOGGER = logging.getLogger(__name__)

CarryOut = Callable[[Owner, str], Awaitable[None]]
"""Owner and body of an effect; may be called again for one that was carried out before. What it raises: try later."""


class Deliveries:
    def __init__(
        self,
        find: Callable[[Owner], Awaitable[list[Effect]]],
        remove: Callable[[Owner, Effect], Awaitable[None]],
    ) -> None:
        """`find` gives what is due, `remove` commits that one effect was carried out."""
        self._find = find
        self._remove = remove
        self._carriers: dict[str, CarryOut] = {}
        self._waiting: set[Owner] = set()
        self._tasks: dict[Owner, asyncio.Task[None]] = {}
        self._later: dict[Owner, asyncio.TimerHandle] = {}
        self._is_closed = False

    def register(self, topic: str, carrier: CarryOut) -> None:
        self._carriers[topic] = carrier

    def wake(self, owner: Owner) -> None:
        """There is something in this outbox."""
        self._waiting.add(owner)
        if owner not in self._tasks and not self._is_closed:
            self._tasks[owner] = asyncio.create_task(self._deliver_all(owner))

    def wake_later(self, owner: Owner) -> None:
        """Another process posted something: it sees to it by itself, unless it is gone."""
        if owner not in self._later and not self._is_closed:
            self._later[owner] = asyncio.get_running_loop().call_later(_OTHERS_AFTER_S, self._look_after, owner)

    def _look_after(self, owner: Owner) -> None:
        del self._later[owner]
        self.wake(owner)

    async def close(self) -> None:
        """What is left is delivered by the next process that opens the library."""
        self._is_closed = True
        for timer in self._later.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_all(self, owner: Owner) -> None:
        pause = _FIRST_PAUSE_S
        try:
            while owner in self._waiting:
                self._waiting.discard(owner)
                if await self._deliver_each(owner):
                    pause = _FIRST_PAUSE_S
                else:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_S)
                    self._waiting.add(owner)
        finally:
            del self._tasks[owner]

    async def _deliver_each(self, owner: Owner) -> bool:
        """Whether all that was due is done. One that fails holds up none of those beside it."""
        is_done = True
        try:
            effects = await self._find(owner)
        except Exception as error:
            _LOGGER.warning("the outbox of library %s/%s waits: %s", *owner, error)
            return False
        for effect in effects:
            try:
                await self._deliver(owner, effect)
            except Exception as error:
                _LOGGER.warning("effect %s of library %s/%s waits: %s", effect.topic, *owner, error)
                is_done = False
        return is_done

    async def _deliver(self, owner: Owner, effect: Effect) -> None:
        carry_out = self._carriers.get(effect.topic)
        if carry_out is None:
            _LOGGER.error("library %s/%s has an effect of unknown topic %r; it is left", *owner, effect.topic)
            return
        await carry_out(owner, effect.body_json)
        await self._remove(owner, effect)
