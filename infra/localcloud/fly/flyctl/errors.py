"""How a command ends badly."""


class CommandError(Exception):
    """Printed as `Error: <message>` and the detail lines below it, exit status 1."""

    def __init__(self, message: str, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.details = details or []


class ApiError(Exception):
    """The stand-in refused a call; `code` is stable, `status` is HTTP's (0 where a deploy's own answer refuses)."""

    def __init__(self, code: str, message: str, details: list[str] | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or []


class UnreachableError(Exception):
    """Nothing answers at FLY_API_BASE_URL; the message is Go's."""
