"""Sends one job's progress over one WebSocket: a snapshot, what follows, heartbeats in silence, the final message."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.kit.metrics import SOCKETS
from app.progress.hub import Subscription
from app.progress.message import Message

M = TypeVar("M", bound=Message)
HEARTBEAT_S = 25.0
_LOOK_S = 1.0
_NORMAL_CLOSE = 1000


async def stream(
    websocket: WebSocket,
    subscription: Subscription[M],
    first: Sequence[M],
    look: Callable[[], Awaitable[M | None]],
    *,
    heartbeat_s: float = HEARTBEAT_S,
    look_s: float = _LOOK_S,
) -> None:
    """`first` is sent at once; `look` is asked after each silence of 1 s, for jobs that run in another process.

    The socket is accepted already. Proxies drop sockets that are silent for 100 s, hence the heartbeat each 25 s.
    """
    gone = asyncio.create_task(_until_gone(websocket))
    SOCKETS.add()
    try:
        for message in first:
            await _send(websocket, message)
        last, sent_at = first[-1], time.monotonic()
        while not last.is_final and not gone.done():
            found = await _next(subscription, gone, look_s) or (await look() if not gone.done() else None)
            if found is not None and found.follows(last):
                last = found
            elif time.monotonic() - sent_at < heartbeat_s:
                continue
            else:
                found = last.as_heartbeat()
            await _send(websocket, found)
            sent_at = time.monotonic()
        if not gone.done():
            await websocket.close(_NORMAL_CLOSE)
    except WebSocketDisconnect:
        return
    finally:
        SOCKETS.add(amount=-1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


async def _next(subscription: Subscription[M], gone: "asyncio.Task[None]", patience_s: float) -> M | None:
    """None when nothing came in time or the client left."""
    coming = asyncio.create_task(subscription.next())
    try:
        await asyncio.wait({coming, gone}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()


async def _until_gone(websocket: WebSocket) -> None:
    """Clients have nothing to say here; reading only notices that they leave."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue


async def _send(websocket: WebSocket, message: Message) -> None:
    await websocket.send_text(message.model_dump_json())
