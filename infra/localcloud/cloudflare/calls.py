"""The latest calls an application answered, for tests to assert on: paths and statuses, never bodies or headers."""

from collections import deque
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT = 1_000


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    status: int


class Recorder:
    """ASGI middleware; `calls` holds the last 1,000 answers in order."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls: deque[Call] = deque(maxlen=KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def recording(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.calls.append(Call(scope["method"], scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, recording)
