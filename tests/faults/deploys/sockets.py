"""Clients of `/ws/export/{id}` as the page is one: reconnect when the socket closes before the final message."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PAUSE_S = 0.2
FINAL = frozenset({"complete", "failed", "cancelled"})


@dataclass
class Connection:
    """What one connection brought, in order; `code` is how it was closed."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    @property
    def frames(self) -> int:
        """As far as the export was seen to be."""
        return max((message["export"]["frames_done"] for message in self.messages), default=0)

    @property
    def statuses(self) -> list[str]:
        return [message["export"]["status"] for message in self.messages]


@dataclass
class Listener:
    """Listens to one export until its final message; `refused` are attempts that got no connection."""

    url: str
    export_id: str
    user: str
    connections: list[Connection] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any] | None:
        messages = [message for connection in self.connections for message in connection.messages]
        return messages[-1] if messages else None

    @property
    def is_connected(self) -> bool:
        return bool(self.connections) and self.connections[-1].code is None

    @property
    def caught_up(self) -> bool:
        """It was cut off, and has seen the export since then at least as far as before."""
        *earlier, latest = self.connections
        return bool(earlier) and latest.code is None and latest.frames >= max(each.frames for each in earlier)

    async def run(self) -> None:
        while self.last is None or self.last["type"] not in FINAL:
            await self._connect()
            await asyncio.sleep(PAUSE_S)

    async def _connect(self) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws/export/{self.export_id}?user={self.user}"
        try:
            # A page sends nothing. What reaches a server that is closing unread makes its system drop the close frame.
            async with connect(address, open_timeout=60, ping_interval=None) as socket:
                connection = Connection()
                self.connections.append(connection)
                try:
                    async for text in socket:
                        connection.messages.append(json.loads(text))
                except ConnectionClosed:
                    pass
                connection.code = socket.close_code
        except (InvalidHandshake, OSError) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
