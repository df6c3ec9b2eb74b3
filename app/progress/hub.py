"""Who listens to what in this process. A slow listener gets the latest message, no backlog, and always the last one."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from app.progress.message import Message

M = TypeVar("M", bound=Message)


class Subscription(Generic[M]):
    def __init__(self) -> None:
        self._latest: M | None = None
        self._arrived = asyncio.Event()

    def offer(self, message: M) -> None:
        if self._latest is None or not self._latest.is_final or message.follows(self._latest):
            self._latest = message
            self._arrived.set()

    async def next(self) -> M:
        """Waits for the next message; safe to cancel."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            latest, self._latest = self._latest, None
            if latest is not None:
                return latest


class ProgressHub(Generic[M]):
    """Keys name an owner and a job: whoever may not read the job's row is not given its key."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[Hashable, set[Subscription[M]]] = defaultdict(set)

    def publish(self, key: Hashable, message: M) -> None:
        for subscription in self._subscriptions.get(key, ()):
            subscription.offer(message)

    @contextmanager
    def subscribe(self, key: Hashable) -> Iterator[Subscription[M]]:
        subscription: Subscription[M] = Subscription()
        self._subscriptions[key].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[key].discard(subscription)
            if not self._subscriptions[key]:
                del self._subscriptions[key]
