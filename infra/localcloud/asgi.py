"""Serves one ASGI application on one loopback port inside a running event loop."""

import asyncio
import socket
from typing import Any

import uvicorn

from infra.localcloud.faults.hangup import HangUpProtocol

LOOPBACK = "127.0.0.1"


class PortInUseError(RuntimeError):
    """The port is taken by another process; the message names it and how to choose another."""


def bind(port: int) -> socket.socket:
    """A listening-ready socket on 127.0.0.1:port (0 takes a free one); raises PortInUseError."""
    # The protocol is named because asyncio turns Nagle's delay off only on sockets that say TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"port {port} on {LOOPBACK} is in use; stop what listens there or change it in Pulumi.local.yaml"
        ) from error
    return listener


class AsgiServer:
    """One uvicorn server on loopback: `await start()` returns once it accepts, `await stop()` once it is closed."""

    def __init__(self, app: Any, port: int = 0, *, websockets: bool = False) -> None:  # noqa: ANN401 -- ASGI's own type
        self._app = app
        self._websockets = websockets
        self._task: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Raises PortInUseError before anything is served."""
        listener = bind(self.port)
        self.port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            self._app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            http=HangUpProtocol,
            ws="websockets-sansio" if self._websockets else "none",
            timeout_graceful_shutdown=3,
        )
        server = _QuietServer(config)
        self._server = server
        self._task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if self._task.done():
                await self._task
                raise RuntimeError(f"the server on port {self.port} ended while starting")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._server = self._task = None


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals to the process that owns the loop."""

    def capture_signals(self) -> Any:  # noqa: ANN401 -- a context manager whose type uvicorn does not name
        from contextlib import nullcontext

        return nullcontext()
