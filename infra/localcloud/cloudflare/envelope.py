"""The envelope of every Cloudflare v4 answer: `{result, success, errors, messages, result_info?}`.

Errors carry Cloudflare's numeric code, on which clients branch (wrangler: 8000000, 8000007, 8000013).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

Json = dict[str, Any]
MOST_PER_PAGE = 5_000


class CloudflareError(Exception):
    """A refusal: HTTP status, Cloudflare's code and message, and optional (code, message) causes."""

    def __init__(self, status: int, code: int, message: str, chain: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(f"{message} [code: {code}]")
        self.status = status
        self.code = code
        self.message = message
        self.chain = tuple(chain)

    def response(self) -> JSONResponse:
        error: Json = {"code": self.code, "message": self.message}
        if self.chain:
            error["error_chain"] = [{"code": code, "message": message} for code, message in self.chain]
        return JSONResponse(
            {"result": None, "success": False, "errors": [error], "messages": []}, status_code=self.status
        )


def unimplemented(what: str) -> CloudflareError:
    """501 that names the call or field this stand-in does not have; it never pretends success."""
    return CloudflareError(501, 10405, f"the local Cloudflare stand-in does not implement {what}")


def ok(result: object, info: Json | None = None, messages: Sequence[Json] = ()) -> JSONResponse:
    answer: Json = {"result": result, "success": True, "errors": [], "messages": list(messages)}
    if info is not None:
        answer["result_info"] = info
    return JSONResponse(answer)


def page(request: Request, items: Sequence[Json], per_page: int = 20) -> JSONResponse:
    """One page of items by `page` (from 1) and `per_page`; a page past the end is empty, which ends SDK iteration."""
    size = positive(request, "per_page", per_page)
    number = positive(request, "page", 1)
    if size > MOST_PER_PAGE:
        raise CloudflareError(400, 6002, f"per_page is {size}; ask for at most {MOST_PER_PAGE}")
    chosen = list(items[(number - 1) * size : number * size])
    info = {
        "page": number,
        "per_page": size,
        "count": len(chosen),
        "total_count": len(items),
        "total_pages": -(-len(items) // size),
    }
    return ok(chosen, info)


def positive(request: Request, name: str, default: int) -> int:
    """A query parameter that must be a whole number from 1 on."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and int(given) >= 1):
        raise CloudflareError(400, 6002, f"{name} is {given!r}; give a whole number from 1 on")
    return int(given)


async def json_body(request: Request) -> Json:
    """The request's JSON object; refuses malformed JSON (6007) and any other JSON value."""
    try:
        body = await request.json()
    except ValueError as error:
        raise CloudflareError(400, 6007, "Malformed JSON in request body") from error
    if not isinstance(body, dict):
        raise CloudflareError(400, 6007, f"the request body is a JSON {type(body).__name__}; send an object")
    return body


def timestamp(moment: datetime | None = None) -> str:
    """RFC 3339 in UTC with microseconds, the form Cloudflare answers with."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
