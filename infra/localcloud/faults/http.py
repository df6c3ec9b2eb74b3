"""The plan in front of an ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from infra.localcloud.faults.hangup import hang_up
from infra.localcloud.faults.injector import LOST, Faults
from infra.localcloud.faults.plan import Fault, Service
from infra.localcloud.faults.shapes import TOO_MANY, refusal

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

PAGES_ASSETS = "/client/v4/pages/assets/"


def with_faults(service: Service, app: Any, faults: Faults | None) -> Any:  # noqa: ANN401 -- ASGI's own type
    """The application itself when there are no faults to make."""
    return app if faults is None else FaultyHttp(service, app, faults)


class FaultyHttp:
    def __init__(self, service: Service, app: App, faults: Faults) -> None:
        self._service = service
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # noqa: ANN401 -- ASGI's own type
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        service: Service = "pages" if self._service == "cloudflare" and path.startswith(PAGES_ASSETS) else self._service
        call, fault = self._faults.begin(service, f"{scope['method']} {path}")

        async def sending(message: Message) -> None:
            # Logged before it is sent: who has the answer finds the call in the log.
            if message["type"] == "http.response.start":
                self._faults.end(call, message["status"])
            await send(message)

        try:
            if fault is not None and fault.latency_ms:
                await asyncio.sleep(fault.latency_ms / 1000)
            kind = fault.fault if fault else ""
            if kind == "lost_request":
                await _hang_up(scope, receive)
            elif kind == "lost_response":
                await self._app(scope, receive, _swallow)
                await _hang_up(scope, receive)
            elif fault is not None and kind in ("too_many", "server_error", "expired_token"):
                await _refuse(service, scope, receive, sending, fault)
            else:
                await self._app(scope, receive, sending)
        finally:
            if call.status is None:
                self._faults.end(call, LOST)


async def _swallow(_: Message) -> None:
    """The answer that nobody gets."""


async def _hang_up(scope: Any, receive: Receive) -> None:  # noqa: ANN401 -- ASGI's own type
    hang_up(scope)()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(service: Service, scope: Any, receive: Receive, send: Send, fault: Fault) -> None:  # noqa: ANN401
    # The body is read first: to close on a client that still sends would lose the answer.
    while (message := await receive()).get("more_body", False):
        if message["type"] == "http.disconnect":
            return
    answer = refusal(service, scope["path"], fault)
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
    if answer.status == TOO_MANY:
        headers.append((b"retry-after", b"%d" % fault.retry_after_s))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
