"""Who is calling. In development the caller says so (`X-User-ID`); elsewhere nobody is known: there are no accounts."""

from typing import NamedTuple

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.http.origins import Origins
from app.http.problems import problem_response
from app.kit.errors import BadRequestError
from app.kit.owner import SYSTEM_SESSION, Owner, parse_owner

DEFAULT_USER = "a"
DEFAULT_PROFILE = "default"
ANONYMOUS_SESSION = "anonymous"
FORBIDDEN_CLOSE = 4403
BAD_REQUEST_CLOSE = 4400


class Identity(NamedTuple):
    """The library of the caller, and the browser session that conflicts are judged by."""

    owner: Owner
    session_id: str


class UserContext:
    """Puts `identity` (Identity or None) into the request's state; sockets from foreign pages are closed with 4403."""

    def __init__(self, app: ASGIApp, origins: Origins, *, trust_headers: bool) -> None:
        self._app = app
        self._origins = origins
        self._trust_headers = trust_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["type"] == "websocket" and origin and not self._origins.allow(origin):
            await _close(scope, receive, send, FORBIDDEN_CLOSE, f"pages of {origin[:100]} may not connect")
            return
        try:
            identity = _claimed(scope, headers) if self._trust_headers else None
        except ValueError as error:
            if scope["type"] == "websocket":
                await _close(scope, receive, send, BAD_REQUEST_CLOSE, str(error))
            else:
                await problem_response(BadRequestError(str(error)), scope)(scope, receive, send)
            return
        scope.setdefault("state", {})["identity"] = identity
        await self._app(scope, receive, send)


def _claimed(scope: Scope, headers: Headers) -> Identity:
    """Browsers cannot set headers on a socket, so there the query says it (`?user=a&profile=default`)."""
    query = QueryParams(scope["query_string"]) if scope["type"] == "websocket" else QueryParams()
    owner = parse_owner(
        query.get("user") or headers.get("x-user-id") or DEFAULT_USER,
        query.get("profile") or headers.get("x-profile-id") or DEFAULT_PROFILE,
    )
    session_id = headers.get("x-session-id") or ANONYMOUS_SESSION
    if session_id == SYSTEM_SESSION or len(session_id) > 100 or not session_id.isprintable():
        raise ValueError(f"X-Session-ID {session_id[:100]!r} must be 1-100 printable characters and not 'system'")
    return Identity(owner, session_id)


async def _close(scope: Scope, receive: Receive, send: Send, code: int, reason: str) -> None:
    """Accept first: a browser learns the code of an accepted socket only."""
    websocket = WebSocket(scope, receive, send)
    await websocket.accept()
    await websocket.close(code, reason[:120])
