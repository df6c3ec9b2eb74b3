"""The answer to a deploy: JSON lines while it runs. A client that hangs up interrupts the deploy."""

import asyncio
import json
import logging
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.deploy.deployment import Deployment
from infra.localcloud.fly.deploy.report import Report
from infra.localcloud.fly.deploy.request import DeployFailedError, DeployRequest
from infra.localcloud.fly.errors import FlyError
from infra.localcloud.fly.model import Release

_log = logging.getLogger(__name__)
CANCEL_AGAIN_S = 1.0


class DeployStream(Response):
    """Lines of `Report`, then `{"release": …}` or `{"error": {"code", "message", "details"}}`."""

    def __init__(self, host: AppHost, request: DeployRequest, api_url: str) -> None:
        super().__init__(media_type="application/x-ndjson")
        self._report = Report()
        self._deployment = Deployment(host, request, self._report, api_url)
        self._again = request.image is None and request.build is None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        work = asyncio.create_task(self._work())
        gone = asyncio.create_task(_disconnected(receive))
        sending = asyncio.create_task(self._send(send))
        try:
            await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(work, gone, sending)

    async def _work(self) -> None:
        try:
            release = await (self._deployment.again() if self._again else self._deployment.run())
        except FlyError as error:
            details = error.details if isinstance(error, DeployFailedError) else []
            self._report.finish({"error": {"code": error.code, "message": error.message, "details": details}})
        except Exception as error:
            _log.exception("a deploy ended in an error of the stand-in")
            message = f"the Fly stand-in failed: {type(error).__name__}: {error}"
            self._report.finish({"error": {"code": "internal", "message": message, "details": []}})
        else:
            self._report.finish({"release": _release(release)})

    async def _send(self, send: Send) -> None:
        while (event := await self._report.next()) is not None:
            await send({"type": "http.response.body", "body": json.dumps(event).encode() + b"\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Asks again until they have ended: Python 3.11's `wait_for` can lose a cancellation that comes as it ends."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _release(release: Release) -> dict[str, Any]:
    return {"id": release.id, "version": release.version, "image_ref": str(release.image)}
