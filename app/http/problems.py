"""Every error answer is a problem document (RFC 9457) with a stable `code`; `type` is its URN."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.kit.errors import AppError, BadRequestError, FieldError, InvalidError

MEDIA_TYPE = "application/problem+json"
_LOGGER = logging.getLogger(__name__)
_CODES = {401: "unauthenticated", 404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}
_FIELD_PLACES = frozenset({"body", "query", "path", "header"})


class ProblemField(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """The document's schema; some codes add members, such as `current_revision`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None
    errors: list[ProblemField] | None = None


class ValidationFailedError(InvalidError):
    code = "validation_failed"
    title = "Invalid request"


class BadJsonError(BadRequestError):
    code = "bad_json"
    title = "Not JSON"


def problem_response(error: AppError, scope: Scope) -> Response:
    """The answer to `error`; its `instance` names the request."""
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return _render(error.status, error.code, error.title, error.detail, scope, headers, error.errors, error.extra)


def internal_problem(error: Exception, scope: Scope, *, verbose: bool) -> Response:
    """500. What went wrong inside is told only where `verbose`, in development."""
    detail = f"{type(error).__name__}: {error}" if verbose else "something broke here; it has been logged"
    return _render(500, "internal", "Internal error", detail, scope)


def install(app: FastAPI) -> None:
    """Handle everything that routes raise; what they do not expect is left to the request log's boundary."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_app_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, AppError):
        raise error
    if error.status >= 500:
        _LOGGER.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return problem_response(error, request.scope)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem_response(BadJsonError("the body is no valid JSON"), request.scope)
    fields = [FieldError(_field_path(item["loc"]), _field_message(item)) for item in found]
    detail = "; ".join(f"{field}: {message}" for field, message in fields[:3])
    return problem_response(ValidationFailedError(detail, errors=fields), request.scope)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail
    if error.status_code in (404, 405) and detail == title:
        detail = f"there is no {request.method} {request.url.path}"
    code = _CODES.get(error.status_code, "http_error")
    return _render(error.status_code, code, title, detail, request.scope, dict(error.headers or {}))


def _render(
    status: int,
    code: str,
    title: str,
    detail: str,
    scope: Scope,
    headers: dict[str, str] | None = None,
    errors: tuple[FieldError, ...] = (),
    extra: dict[str, int | str | None] | None = None,
) -> Response:
    request_id = scope.get("state", {}).get("request_id")
    problem = Problem(
        type=f"urn:reel-ballers:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        instance=f"urn:reel-ballers:request:{request_id}" if request_id else None,
        errors=[ProblemField(field=field, message=message) for field, message in errors] or None,
    )
    body = _WithExtra(**problem.model_dump(exclude_none=True), **(extra or {}))
    return Response(body.model_dump_json(), status_code=status, headers=headers, media_type=MEDIA_TYPE)


class _WithExtra(BaseModel, extra="allow"):
    """Problem members of any name, kept in order."""


def _field_path(location: tuple[int | str, ...]) -> str:
    """`("body", "parts", 3, "etag")` becomes `parts[3].etag`."""
    path = ""
    for part in location[1:] if location and location[0] in _FIELD_PLACES else location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".") or "body"


def _field_message(item: dict[str, Any]) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
