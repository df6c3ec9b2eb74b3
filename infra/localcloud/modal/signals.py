"""Waking long polls: `Signal` is one condition without a lock, `Signals` one per key for as long as somebody waits.

Everything runs in one event loop, so a caller that checks and then waits without an `await` in between misses nothing.
"""

import asyncio
from weakref import WeakValueDictionary


class Signal:
    """Waiters wake at the next `notify()` after they began to wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, timeout_s: float) -> bool:
        """False when the time ran out first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


class Signals:
    """Keep the signal returned by `of()` while waiting; nobody's signal is forgotten."""

    def __init__(self) -> None:
        self._signals: WeakValueDictionary[str, Signal] = WeakValueDictionary()

    def of(self, key: str) -> Signal:
        signal = self._signals.get(key)
        if signal is None:
            signal = self._signals[key] = Signal()
        return signal

    def notify(self, key: str) -> None:
        signal = self._signals.get(key)
        if signal is not None:
            signal.notify()
