"""Tells the client what the library did for its request (`X-Library-Version`, `X-Sync-Status`) and logs slow syncs."""

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.library.context import begin_report

_LOGGER = logging.getLogger("app.request")
_SLOW_SYNC_S = 0.5


class LibraryContext:
    """`X-Sync-Status`: synced, stale (another session was first) or unavailable; absent when no library was used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        report = begin_report()
        scope.setdefault("state", {})["sync"] = report

        async def reporting_send(message: Message) -> None:
            if message["type"] == "http.response.start" and report.seconds:
                headers = MutableHeaders(scope=message)
                headers["x-sync-status"] = report.status
                if report.version is not None:
                    headers["x-library-version"] = str(report.version)
            await send(message)

        await self._app(scope, receive, reporting_send)
        if report.seconds > _SLOW_SYNC_S:
            _LOGGER.warning("[SLOW DB SYNC] %s %s - sync took %.2fs", scope["method"], scope["path"], report.seconds)
