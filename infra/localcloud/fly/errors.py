"""What the stand-in refuses: one base with an HTTP status and a stable code; the command puts it in flyctl's words."""


class FlyError(Exception):
    """`message` is what Fly's API says; it names the bad value."""

    status = 500
    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnauthorizedError(FlyError):
    status = 401
    code = "unauthorized"


class AppNotFoundError(FlyError):
    status = 404
    code = "app_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f'Could not find App "{name}"')


class NotFoundError(FlyError):
    """A machine or certificate that the app does not have."""

    status = 404
    code = "not_found"


class InvalidError(FlyError):
    """A name taken or malformed, a machine in the wrong state, nonsense in the configuration."""

    status = 422
    code = "invalid"


class BusyError(FlyError):
    """Another deploy holds the app's machines."""

    status = 409
    code = "lease_held"
