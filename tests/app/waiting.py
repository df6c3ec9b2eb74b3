"""Waiting for a condition instead of a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")
PATIENCE_S = 20.0


async def until(look: Callable[[], Awaitable[_T | None]], pause_s: float = 0.01) -> _T:
    """The first thing that `look` finds; TimeoutError after 20 s."""
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
