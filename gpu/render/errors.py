"""The one exception of the media functions that a user is told about."""

from gpu.contract import ErrorCode, MediaError


class MediaFailure(Exception):
    """Ends a probe or a render with a stable code and a sentence that has no URL and no secret in it."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message

    @property
    def error(self) -> MediaError:
        return MediaError(code=self.code, message=self.message)
