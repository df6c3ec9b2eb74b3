"""One S3 request and its answer on ASGI: path-style addresses, a body read once, an answer sent whole or streamed."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from infra.localcloud.r2 import errors

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_QUERY_FIELDS = 100


class Content(Protocol):
    """A body that is produced while it is sent; `close` is called in every case."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None: ...


@dataclass
class Answer:
    """`headers` in lower case; with `content` they hold the content-length."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    content: Content | None = None


class Request:
    """`path`, `bucket` and `key` are decoded, `key` is empty for a call on the bucket; header names are lower case."""

    __slots__ = ("_receive", "body_started", "bucket", "headers", "key", "method", "path", "query")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Raises InvalidArgument or InvalidObjectName for an address that cannot be read."""
        self.method: str = scope["method"]
        self.headers = _headers(scope["headers"])
        self.query = _query(scope["query_string"].decode("latin-1"))
        try:
            self.path = unquote(scope["raw_path"].decode("ascii"), errors="strict")
        except UnicodeDecodeError as error:
            raise errors.InvalidObjectName from error
        self.bucket, _, self.key = self.path.removeprefix("/").partition("/")
        if len(self.key) > 256 and len(self.key.encode()) > 1024:
            raise errors.InvalidObjectName
        self.body_started = False
        self._receive = receive

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; raises ClientDisconnect when it ends early."""
        self.body_started = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise errors.ClientDisconnect
            if chunk := message.get("body", b""):
                yield chunk
            if not message.get("more_body", False):
                return

    async def body(self, limit: int) -> bytes:
        """The whole body; raises MalformedXML above `limit` bytes (only documents are read this way)."""
        held = bytearray()
        async for chunk in self.chunks():
            held += chunk
            if len(held) > limit:
                raise errors.MalformedXML
        return bytes(held)

    async def wait_for_disconnect(self) -> None:
        """Returns when the client has gone or the answer is complete."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    @property
    def awaits_continue(self) -> bool:
        """Whether the client still holds its body back: it would take the next request's bytes for it."""
        return not self.body_started and "expect" in self.headers


async def send_answer(send: Send, answer: Answer, *, without_body: bool = False, close: bool = False) -> None:
    """Sends all but the content, if it is streamed; `without_body` is for HEAD, `close` ends the connection."""
    headers = answer.headers
    headers.setdefault("content-length", str(len(answer.body)))
    headers["x-amz-request-id"] = secrets.token_hex(8)
    if close:
        headers["connection"] = "close"
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(headers)})
    if answer.content is None:
        await send({"type": "http.response.body", "body": b"" if without_body else answer.body})


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in pairs:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _query(raw: str) -> dict[str, str]:
    """Refuses a name that comes twice: two readers could take different values."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except ValueError as error:
        raise errors.InvalidArgument(f"the query string cannot be read: {error}") from error
    query = dict(pairs)
    if len(query) != len(pairs):
        raise errors.InvalidArgument("a search parameter is given more than once")
    return query


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
