"""Between HTTP and the library: what a request permits, and the headers that tell what the library did for it."""

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import problem_response
from app.kit.errors import BadRequestError
from app.library.context import SyncReport, begin_report

_LOGGER = logging.getLogger("app.request")
_SLOW_SYNC_S = 0.5
_DIGITS = 16
_READING = frozenset({"GET", "HEAD"})


class LibraryContext:
    """Takes `X-Library-Version`; answers with it, with `X-Sync-Status`, and with `Age` (seconds) when a read is stale.

    `synced`; `stale` for a read that the store did not confirm, or a write after another session's; absent when no
    library was used or the store is down. Only reads may be stale.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            seen_version = _seen_version(Headers(scope=scope))
        except BadRequestError as error:
            await problem_response(error, scope)(scope, receive, send)
            return
        report = begin_report(scope["method"] in _READING, seen_version)
        scope.setdefault("state", {})["sync"] = report

        async def reporting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(report, MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, reporting_send)
        finally:
            if report.seconds > _SLOW_SYNC_S:
                _LOGGER.warning(
                    "[SLOW DB SYNC] %s %s - sync took %.2fs", scope["method"], scope["path"], report.seconds
                )


def _seen_version(headers: Headers) -> int | None:
    """Raises BadRequestError."""
    version = headers.get("x-library-version")
    if version is None:
        return None
    if not (version.isascii() and version.isdigit() and len(version) <= _DIGITS):
        raise BadRequestError(f"X-Library-Version {version[:40]!r} is no version; send back what the last answer had")
    return int(version)


def _tell(report: SyncReport, headers: MutableHeaders) -> None:
    if report.status is None:
        return
    headers["x-sync-status"] = report.status
    if report.version is not None:
        headers["x-library-version"] = str(report.version)
    if report.status == "stale" and report.age_s is not None:
        headers["age"] = str(int(report.age_s))
