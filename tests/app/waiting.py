"""Waiting for a condition instead of a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")
PATIENCE_S = 120.0
"""Bounds a hang only: a busy machine takes many seconds to start a process."""


async def until(look: Callable[[], Awaitable[_T | None]], pause_s: float = 0.01) -> _T:
    """The first thing that `look` finds; TimeoutError after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(pause_s)


async def until_true(condition: Callable[[], bool]) -> None:
    async def look() -> bool | None:
        return condition() or None

    await until(look)
