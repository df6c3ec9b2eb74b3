"""Refuses bodies that are larger than any JSON of this API: video goes to the object store, never through here."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import problem_response
from app.kit.errors import AppError

MAX_BODY_BYTES = 2 * 1024 * 1024


class PayloadTooLargeError(AppError):
    status = 413
    code = "payload_too_large"
    title = "Payload too large"


class BodyLimit:
    """By the declared length where there is one, else while reading."""

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await problem_response(PayloadTooLargeError(self._detail), scope)(scope, receive, send)
            return
        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                # FastAPI turns any other exception during the body into a 400.
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, counting_receive, send)

    @property
    def _detail(self) -> str:
        return f"the body is larger than {self._max_bytes} bytes; upload media to the URLs that POST /api/media gives"
