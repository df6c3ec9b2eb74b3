"""One log line a request, a warning for slow ones, and the boundary where an unexpected exception becomes a problem."""

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import internal_problem
from app.kit.metrics import REQUEST_SECONDS, REQUESTS

_LOGGER = logging.getLogger("app.request")
_SLOW_S = 2.0
_POLLED = frozenset({"/api/health", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLog:
    """Inside CORS, so that also an internal error carries the headers that let the page read it."""

    def __init__(self, app: ASGIApp, *, verbose_errors: bool) -> None:
        self._app = app
        self._verbose = verbose_errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(8)
        started = time.perf_counter()
        status = 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = state["request_id"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as error:
            _LOGGER.exception("%s %s failed (request %s)", scope["method"], scope["path"], state["request_id"])
            if status:
                raise
            await internal_problem(error, scope, verbose=self._verbose)(scope, receive, noting_send)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        REQUESTS.add(method, str(status))
        REQUEST_SECONDS.add(amount=seconds)
        user = getattr(scope["state"].get("identity"), "owner", None)
        level = logging.DEBUG if scope["path"] in _POLLED else logging.INFO
        said = (method, scope["path"], status, seconds * 1000, user.user_id if user else "-")
        _LOGGER.log(level, "%s %s %d %.0f ms user=%s", *said)
        if seconds > _SLOW_S:
            sync = getattr(scope["state"].get("sync"), "seconds", 0.0)
            _LOGGER.warning("[SLOW REQUEST] %s %s - total %.2fs (sync: %.2fs)", method, scope["path"], seconds, sync)
