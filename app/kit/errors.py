"""The one base of errors that a caller may see; `app.http.problems` turns each into a problem document (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One wrong field: its path in the body (`parts[3].etag`) and what to do about it."""

    field: str
    message: str


class AppError(Exception):
    """An error with a status, a stable code and a sentence for the user; subclasses stand beside their service."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retry_after_s: ClassVar[int | None] = None

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, int | str | None] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})


class BadRequestError(AppError):
    status = 400
    code = "bad_request"
    title = "Bad request"


class UnauthenticatedError(AppError):
    status = 401
    code = "unauthenticated"
    title = "Not signed in"


class NotFoundError(AppError):
    status = 404
    code = "not_found"
    title = "Not found"


class ConflictError(AppError):
    status = 409
    code = "conflict"
    title = "Conflict"


class InvalidError(AppError):
    status = 422
    code = "invalid"
    title = "Invalid request"


class StaleRevisionError(ConflictError):
    """The entity changed since the caller read it; the answer carries `current_revision`."""

    code = "stale_revision"
    title = "Changed meanwhile"

    def __init__(self, what: str, expected: int, current: int) -> None:
        super().__init__(
            f"{what} is at revision {current}, not {expected}; read it again and repeat the change",
            extra={"current_revision": current},
        )


class UnavailableError(AppError):
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
    retry_after_s = 2
