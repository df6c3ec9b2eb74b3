"""Why a library cannot be read or written."""

from app.kit.errors import ConflictError, InvalidError, UnavailableError


class StaleSessionError(ConflictError):
    """Another session committed since the version that the caller saw."""

    code = "stale_session"
    title = "Session stale"

    def __init__(self, current_version: int) -> None:
        super().__init__(
            f"another session changed this library; read it again (version {current_version}) and repeat the change",
            extra={"current_version": current_version},
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
    """A newer release wrote this library; this binary never opens it."""

    code = "library_newer"
    title = "Library is newer than this server"
    retry_after_s = 60
