"""What a deploy tells flyctl while it runs: text for its stdout and stderr, in order."""

import asyncio
from typing import Any


class Report:
    """Events as JSON objects: `{"stream": "stdout" | "stderr", "text": …}`; `None` marks the end."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def out(self, line: str = "") -> None:
        self._events.put_nowait({"stream": "stdout", "text": f"{line}\n"})

    def err(self, line: str = "") -> None:
        self._events.put_nowait({"stream": "stderr", "text": f"{line}\n"})

    def finish(self, result: dict[str, Any]) -> None:
        self._events.put_nowait(result)
        self._events.put_nowait(None)

    async def next(self) -> dict[str, Any] | None:
        return await self._events.get()
