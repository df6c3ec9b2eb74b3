"""Passes a WebSocket between client and machine: messages, pings, and the closing code and reason of either side.

Both sides are closed with 1001 when the machine is about to be stopped for want of work, as Fly does since 2026.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from infra.localcloud.fly.machine.runner import MachineRunner

_HANDSHAKE = frozenset(
    [
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "content-length",
    ]
)
_ABNORMAL = frozenset([1005, 1006, 1015])
_GOING_AWAY = 1001
_CLOSE_WAIT_S = 2.0

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


def is_websocket(request: web.BaseRequest) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def relay(
    request: web.BaseRequest,
    session: aiohttp.ClientSession,
    runner: MachineRunner,
    url: str,
    headers: CIMultiDict[str],
) -> web.StreamResponse:
    """Opens the machine's side first, so that its refusal reaches the client as it is."""
    offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]
    passed = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HANDSHAKE)
    try:
        upstream = await session.ws_connect(
            url, headers=passed, protocols=offered, autoping=False, max_msg_size=0, compress=0
        )
    except aiohttp.WSServerHandshakeError as error:
        return web.Response(status=error.status)
    async with upstream:
        leaving = runner.leaving
        chosen = [upstream.protocol] if upstream.protocol else []
        downstream = web.WebSocketResponse(protocols=chosen, autoping=False, max_msg_size=0, compress=False)
        await downstream.prepare(request)
        pumps = [
            asyncio.create_task(_pump(downstream, upstream)),
            asyncio.create_task(_pump(upstream, downstream)),
        ]
        parting = asyncio.create_task(_part(leaving, downstream, upstream))
        with _counted(runner):
            try:
                await asyncio.wait([*pumps, parting], return_when=asyncio.FIRST_COMPLETED)
            finally:
                # A client that closes and leaves cancels this handler while its closing code is on its way.
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED, timeout=_CLOSE_WAIT_S)
                tasks = [*pumps, parting]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await downstream.close(code=_GOING_AWAY)
    return downstream


@contextmanager
def _counted(runner: MachineRunner) -> Iterator[None]:
    runner.sockets += 1
    try:
        yield
    finally:
        runner.sockets -= 1


async def _part(leaving: asyncio.Event, *sides: Socket) -> None:
    await leaving.wait()
    await asyncio.gather(*(side.close(code=_GOING_AWAY, message=b"the machine is stopped") for side in sides))


async def _pump(source: Socket, target: Socket) -> None:
    while True:
        message = await source.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await target.send_bytes(message.data)
            case aiohttp.WSMsgType.PING:
                await target.ping(message.data)
            case aiohttp.WSMsgType.PONG:
                await target.pong(message.data)
            case aiohttp.WSMsgType.CLOSE:
                await target.close(code=_sendable(message.data), message=(message.extra or "").encode())
                return
            case _:
                await target.close(code=_GOING_AWAY)
                return


def _sendable(code: int | None) -> int:
    """Codes that only describe the absence of one must not be sent (RFC 6455 section 7.4.1)."""
    return 1000 if code is None or code in _ABNORMAL or code == 0 else code
