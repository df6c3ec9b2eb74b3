"""Who is calling. In development the caller says so (`X-User-ID`); elsewhere there are no accounts yet, and only the
holder of VERIFY_TOKEN is known."""

from typing import NamedTuple

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.http.origins import Origins
from app.http.problems import problem_response
from app.http.verify_token import VerifyToken
from app.kit.errors import AppError, BadRequestError, UnauthenticatedError
from app.kit.owner import SYSTEM_SESSION, Owner, parse_owner

DEFAULT_USER = "a"
DEFAULT_PROFILE = "default"
ANONYMOUS_SESSION = "anonymous"
BAD_REQUEST_CLOSE = 4400
UNAUTHENTICATED_CLOSE = 4401
FORBIDDEN_CLOSE = 4403


class Identity(NamedTuple):
    """The library of the caller, and the browser session that conflicts are judged by."""

    owner: Owner
    session_id: str


class UserContext:
    """Puts `identity` (Identity or None) into the request's state; sockets from foreign pages are closed with 4403."""

    def __init__(self, app: ASGIApp, origins: Origins, verify_token: VerifyToken, *, trust_headers: bool) -> None:
        self._app = app
        self._origins = origins
        self._verify_token = verify_token
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
            identity = self._identity(scope, headers)
        except UnauthenticatedError as error:
            await _refuse(scope, receive, send, UNAUTHENTICATED_CLOSE, error)
            return
        except ValueError as error:
            await _refuse(scope, receive, send, BAD_REQUEST_CLOSE, BadRequestError(str(error)))
            return
        scope.setdefault("state", {})["identity"] = identity
        await self._app(scope, receive, send)

    def _identity(self, scope: Scope, headers: Headers) -> Identity | None:
        """Raises UnauthenticatedError for a wrong token and ValueError for a name that cannot be one."""
        verifier = self._verify_token.owner(headers.getlist("authorization"))
        if verifier is not None:
            return Identity(verifier, _session_id(headers))
        return _claimed(scope, headers) if self._trust_headers else None


def _claimed(scope: Scope, headers: Headers) -> Identity:
    """Browsers cannot set headers on a socket, so there the query says it (`?user=a&profile=default`)."""
    query = QueryParams(scope["query_string"]) if scope["type"] == "websocket" else QueryParams()
    owner = parse_owner(
        query.get("user") or headers.get("x-user-id") or DEFAULT_USER,
        query.get("profile") or headers.get("x-profile-id") or DEFAULT_PROFILE,
    )
    return Identity(owner, _session_id(headers))


def _session_id(headers: Headers) -> str:
    session_id = headers.get("x-session-id") or ANONYMOUS_SESSION
    if session_id == SYSTEM_SESSION or len(session_id) > 100 or not session_id.isprintable():
        raise ValueError(f"X-Session-ID {session_id[:100]!r} must be 1-100 printable characters and not 'system'")
    return session_id


async def _refuse(scope: Scope, receive: Receive, send: Send, code: int, error: AppError) -> None:
    if scope["type"] == "websocket":
        await _close(scope, receive, send, code, error.detail)
    else:
        await problem_response(error, scope)(scope, receive, send)


async def _close(scope: Scope, receive: Receive, send: Send, code: int, reason: str) -> None:
    """Accept first: a browser learns the code of an accepted socket only."""
    websocket = WebSocket(scope, receive, send)
    await websocket.accept()
    await websocket.close(code, reason[:120])
