"""Object storage in memory with presigned-like URLs: a part or object is reached only by the token that was issued."""

import asyncio
import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.asgi import AsgiServer

PartKey = tuple[str, int]


@dataclass
class Faults:
    """How many PUTs of a part number still fail: `refuse` with 500, `forbid` with 400, `expire` with a dead URL."""

    refuse: Counter[int] = field(default_factory=Counter)
    forbid: Counter[int] = field(default_factory=Counter)
    expire: Counter[int] = field(default_factory=Counter)


class FakeStorage:
    """Parts by (upload id, number) and objects by key; `puts` counts what arrived for each part number."""

    def __init__(self, port: int, origin: str) -> None:
        self.faults = Faults()
        self.parts: dict[PartKey, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.puts: Counter[int] = Counter()
        self._held: dict[int, asyncio.Event] = {}
        self._part_tokens: dict[str, PartKey] = {}
        self._object_tokens: dict[str, tuple[str, str | None]] = {}
        cors = Middleware(
            CORSMiddleware,
            allow_origins=[origin],
            allow_methods=["GET", "PUT", "HEAD"],
            allow_headers=["content-type"],
            expose_headers=["ETag"],
        )
        routes = [Route("/parts/{token}", self._put, methods=["PUT"]), Route("/objects/{token}", self._get)]
        self._server = AsgiServer(Starlette(routes=routes, middleware=[cors]), port)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def part_url(self, upload: str, number: int) -> str:
        token = secrets.token_urlsafe(16)
        self._part_tokens[token] = (upload, number)
        return f"{self._server.url}/parts/{token}"

    def object_url(self, key: str, attachment: str | None = None) -> str:
        token = secrets.token_urlsafe(16)
        self._object_tokens[token] = (key, attachment)
        return f"{self._server.url}/objects/{token}"

    def etag(self, upload: str, number: int) -> str | None:
        part = self.parts.get((upload, number))
        return None if part is None else f'"{hashlib.md5(part, usedforsecurity=False).hexdigest()}"'

    def join(self, upload: str, count: int) -> bytes:
        return b"".join(self.parts.pop((upload, number)) for number in range(1, count + 1))

    def discard(self, upload: str) -> None:
        """A part of it that is still on its way is refused."""
        self.parts = {key: part for key, part in self.parts.items() if key[0] != upload}
        self._part_tokens = {token: key for token, key in self._part_tokens.items() if key[0] != upload}

    def hold(self, number: int) -> asyncio.Event:
        """PUTs of this part number get no answer until the event is set."""
        return self._held.setdefault(number, asyncio.Event())

    async def _put(self, request: Request) -> Response:
        body = await request.body()
        token = request.path_params["token"]
        key = self._part_tokens.get(token)
        if key is None:
            return Response(status_code=403)
        upload, number = key
        self.puts[number] += 1
        if number in self._held:
            await self._held[number].wait()
            if token not in self._part_tokens:
                return Response(status_code=403)
        if self.faults.expire[number] > 0:
            self.faults.expire[number] -= 1
            del self._part_tokens[token]
            return Response(status_code=403)
        for fault, status in ((self.faults.refuse, 500), (self.faults.forbid, 400)):
            if fault[number] > 0:
                fault[number] -= 1
                return Response(status_code=status)
        self.parts[key] = body
        return Response(headers={"ETag": self.etag(upload, number) or ""})

    async def _get(self, request: Request) -> Response:
        entry = self._object_tokens.get(request.path_params["token"])
        if entry is None:
            return Response(status_code=403)
        key, attachment = entry
        body = self.objects[key]
        headers = {"Accept-Ranges": "bytes", "Content-Type": "video/mp4"}
        if attachment is not None:
            headers["Content-Disposition"] = f'attachment; filename="{attachment}"'
        wanted = request.headers.get("Range", "")
        if not wanted.startswith("bytes="):
            return Response(body, headers=headers)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(body) - 1), len(body) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return Response(body[start : end + 1], status_code=206, headers=headers)
