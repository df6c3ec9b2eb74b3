"""Lets an ASGI application close its connection without an answer: an extension of the scope, which uvicorn lacks."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "localcloud.hang_up"


class HangUpProtocol(HttpToolsProtocol):
    """`scope["extensions"][EXTENSION]()` ends the connection at once; what was not sent is lost."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        served = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI's own types
            scope.setdefault("extensions", {})[EXTENSION] = transport.abort
            await served(scope, receive, send)

        self.app = cast(Any, app)


def hang_up(scope: Any) -> Callable[[], None]:  # noqa: ANN401 -- ASGI's own type
    """Raises RuntimeError where the application is not served by HangUpProtocol."""
    found = (scope.get("extensions") or {}).get(EXTENSION)
    if found is None:
        raise RuntimeError("this server cannot hang up: serve the application with AsgiServer")
    return cast(Callable[[], None], found)
