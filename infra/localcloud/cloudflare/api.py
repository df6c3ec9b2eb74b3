"""The v4 application: routes under `/client/v4`, errors as envelopes, and 501 for every call that has no route."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from infra.localcloud.cloudflare.envelope import CloudflareError, unimplemented
from infra.localcloud.cloudflare.gate import API_PREFIX


def application(routes: Sequence[BaseRoute], gate: Middleware) -> Starlette:
    return Starlette(
        routes=[Mount(API_PREFIX, routes=routes)],
        middleware=[gate],
        exception_handlers={
            CloudflareError: _refused,
            HTTPException: _unrouted,
            Exception: _failed,
        },
    )


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, CloudflareError):
        raise error
    return error.response()


async def _unrouted(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code not in (404, 405):
        return CloudflareError(error.status_code, 6002, error.detail).response()
    return unimplemented(f"{request.method} {request.url.path}").response()


async def _failed(request: Request, error: Exception) -> Response:
    """The traceback goes to the server's log; the caller learns only where it happened."""
    call = f"{request.method} {request.url.path}"
    return CloudflareError(500, 10001, f"the local Cloudflare stand-in failed in {call}; see its log").response()
