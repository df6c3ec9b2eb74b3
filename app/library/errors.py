"""Why a library cannot be read or written."""

from app.kit.errors import ConflictError, InvalidError, UnavailableError


class StaleSessionError(ConflictError):
    """Another session of this user committed since the version that the caller saw.

    `committed_by` (its session id) and `committed_at` (RFC 3339) are None when that commit is no longer on record.
    """

    code = "stale_session"
    title = "Session stale"

    def __init__(
        self, current_version: int, *, committed_by: str | None = None, committed_at: str | None = None
    ) -> None:
        super().__init__(
            f"another session changed this library; read it again (version {current_version}) and repeat the change",
            extra={"current_version": current_version, "committed_by": committed_by, "committed_at": committed_at},
        )


class IdempotencyKeyReusedError(InvalidError):
    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class BusyLibraryError(UnavailableError):
    """Other writers took every number that this commit tried."""

    code = "library_busy"
    title = "Library is busy"


class UnreadableLibraryError(UnavailableError):
    """A record in the store does not decode: this library stops until it is restored; nothing is ever read as empty."""

    code = "library_unreadable"
    title = "Library cannot be read"
    retry_after_s = 300


class NewerSchemaError(UnavailableError):
    """Another release wrote this library in a form that this binary does not know; it never opens it."""

    code = "library_newer"
    title = "Library is newer than this server"
    retry_after_s = 60

    @classmethod
    def of(cls, found: int, known: int) -> "NewerSchemaError":
        return cls(f"this library has schema {found}, this server knows {known}; deploy a newer server")


class LibraryTooLargeError(ConflictError):
    """The change would make the library larger than any library may be; nothing was written."""

    code = "library_too_large"
    title = "Library is full"
