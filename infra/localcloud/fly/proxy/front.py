"""The front of one app: HTTP/1.1 and WebSockets from a loopback port to one of its machines, streamed both ways."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
from aiohttp import web
from yarl import URL

from infra.localcloud.asgi import LOOPBACK, bind
from infra.localcloud.fly.machine.runner import MachineRunner
from infra.localcloud.fly.proxy import headers, websocket
from infra.localcloud.fly.proxy.balancer import Balancer, NoCandidateError

_CHUNK_BYTES = 64 * 1024
_CONNECT_TIMEOUT_S = 5.0
_DRAIN_S = 2.0
_TRIES = 3
_NO_DEFAULTS = frozenset(["User-Agent", "Accept", "Accept-Encoding", "Content-Type"])


def new_session() -> aiohttp.ClientSession:
    """The connections to machines: kept about 4 s, as Fly does, which is below uvicorn's 5 s."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_NO_DEFAULTS,
        auto_decompress=False,
    )
    # aiohttp would repeat a GET, PUT or DELETE whose machine died while answering it (its test client turns this off).
    session._retry_connection = False
    return session


class Front:
    """Listens while it is open; `find` gives the app's balancer, or None while there is no such app."""

    def __init__(
        self, app: str, port: int, find: Callable[[str], Balancer | None], session: aiohttp.ClientSession
    ) -> None:
        self.port = port
        self._app = app
        self._find = find
        self._session = session
        self._server: asyncio.Server | None = None
        self._http: web.Server | None = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Raises PortInUseError; a second call changes nothing."""
        if self._server is not None:
            return
        listener = bind(self.port)
        self.port = int(listener.getsockname()[1])
        self._http = web.Server(
            self._handle, access_log=None, auto_decompress=False, handler_cancellation=True, keepalive_timeout=60.0
        )
        self._server = await asyncio.get_running_loop().create_server(self._http, sock=listener)

    async def close(self) -> None:
        """Refuses new connections and ends those that are open."""
        server, http, self._server, self._http = self._server, self._http, None, None
        if server is None or http is None:
            return
        server.close()
        http.pre_shutdown()
        await http.shutdown(_DRAIN_S)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        balancer = self._find(self._app)
        if balancer is None:
            return _refusal(404, f"no app named {self._app}")
        if balancer.forces_https and not headers.came_over_tls(request.headers):
            return _redirect(f"https://{request.host}{request.raw_path}")
        refused: set[int | None] = set()
        while True:
            try:
                async with balancer.machine(refused) as runner:
                    return await self._forward(request, runner)
            except NoCandidateError as error:
                return _refusal(502 if refused else error.status, str(error))
            except aiohttp.ClientConnectorError as error:
                refused.add(error.port)
                if len(refused) >= _TRIES:
                    return _refusal(502, f"machine {runner.record.id} refused the connection")
            except aiohttp.ClientError as error:
                return _refusal(502, f"machine {runner.record.id} broke the connection: {type(error).__name__}")

    async def _forward(self, request: web.BaseRequest, runner: MachineRunner) -> web.StreamResponse:
        url = URL(f"http://{LOOPBACK}:{runner.port}{request.raw_path}", encoded=True)
        passed = headers.to_machine(
            request.headers, client=request.remote or LOOPBACK, region=runner.record.region, port=self.port
        )
        if websocket.is_websocket(request):
            return await websocket.relay(request, self._session, runner, str(url).replace("http", "ws", 1), passed)
        if passed.popall("Expect", []):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _chunks(request) if request.body_exists else None
        async with self._session.request(
            request.method, url, headers=passed, data=body, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(
                status=answer.status,
                reason=answer.reason,
                headers=headers.to_client(answer.headers, passed["Fly-Request-Id"]),
            )
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    await response.write(chunk)
                await response.write_eof()
            except aiohttp.ClientError:
                _abort(request)
            return response


async def _chunks(request: web.BaseRequest) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        yield chunk


def _abort(request: web.BaseRequest) -> None:
    """The answer has begun and cannot be completed: the client must see it end early, not end well."""
    if request.transport is not None:
        request.transport.abort()


def _redirect(location: str) -> web.Response:
    own = {"Location": location, "Server": headers.SERVER, "Via": headers.VIA}
    return web.Response(status=301, headers=own)


def _refusal(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=f"{reason}\n", headers={"Server": headers.SERVER, "Via": headers.VIA})
