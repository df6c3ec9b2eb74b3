"""A process that may die or freeze between any two of its callbacks; nothing of it is cleaned up."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

HOST: ContextVar["Host | None"] = ContextVar("simulation_host", default=None)
"""Whose callback runs; None is the world outside: the network, the store, the clients."""


class Host:
    """Callbacks belong to a host by the context they were scheduled in; `plan` says what happens before which of them.

    `lag_s` is how far its monotonic clock is behind the world's: that of some machines stands while they are frozen.
    """

    def __init__(self) -> None:
        self.alive = True
        self.frozen = False
        self.lag_s = 0.0
        self.withheld: list[Any] = []
        self.plan: dict[int, Callable[[], None]] = {}
        self._callbacks = 0

    def admits(self, entry: Any) -> bool:
        """Whether its next callback runs now; a frozen host gets it later, a dead one never."""
        if self.alive and not self.frozen:
            self._callbacks += 1
            happens = self.plan.pop(self._callbacks, None)
            if happens is None:
                return True
            happens()
        if self.alive and not self.frozen:
            return True
        self.withheld.append(entry)
        return False
