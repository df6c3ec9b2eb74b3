"""Waiting for conditions instead of for time; the limits only bound a hang."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path


async def until(condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Fails the test when the condition does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {condition}"
        await asyncio.sleep(0.02)


async def until_async(condition: Callable[[], Awaitable[bool]], *, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"still waiting for {condition}"
        await asyncio.sleep(0.05)


def is_alive(pid: int) -> bool:
    """A zombie that nobody has collected yet is dead."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
