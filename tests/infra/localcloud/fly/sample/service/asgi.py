"""The ASGI server: streams both ways, WebSockets, and an answer that breaks off."""

import asyncio
import json
import os
import sys
from typing import Any

import uvicorn


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await websocket(scope, receive, send)
    elif scope["type"] == "http":
        await HANDLERS.get(scope["path"], echo)(scope, receive, send)


async def health(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await answer(send, {"status": "ok"})


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    shown = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
    }
    await answer(send, {**shown, "body": (await read(receive)).decode()})


async def double(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers each piece of the body as soon as it came."""
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 200, "headers": cookies})
    more = True
    while more:
        message = await receive()
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"] * 2, "more_body": more})


async def cut(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Promises more than it sends, then dies."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.sleep(0.05)
    os._exit(1)


async def websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    if scope["path"] == "/refused":
        await send({"type": "websocket.close", "code": 4403})
        return
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    if scope["path"] == "/sink":
        await sink(receive)
        return
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text and text.startswith("close "):
            await send({"type": "websocket.close", "code": int(text.split()[1]), "reason": "as asked"})
            return
        await send({"type": "websocket.send", "text": text, "bytes": message.get("bytes")})
    sys.stdout.write(f"websocket closed by the client with {message['code']}\n")
    sys.stdout.flush()


async def sink(receive: Any) -> None:
    """Reads nothing at first, so that what comes waits on the way; then everything."""
    await asyncio.sleep(0.3)
    size = 0
    while (message := await receive())["type"] == "websocket.receive":
        size += len(message["bytes"])
    sys.stdout.write(f"the sink got {size} bytes and was closed with {message['code']}\n")
    sys.stdout.flush()


async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Longer than a machine is drained before it gets its signal."""
    await asyncio.sleep(float(scope["query_string"].removeprefix(b"s=")))
    await answer(send, {"machine": os.environ["FLY_MACHINE_ID"]})


async def read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def answer(send: Any, value: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


HANDLERS = {"/health": health, "/double": double, "/cut": cut, "/slow": slow}


def serve(host: str, port: int) -> None:
    uvicorn.run(
        app,
        host=host,
        port=port,
        lifespan="off",
        log_level="error",
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
    )
