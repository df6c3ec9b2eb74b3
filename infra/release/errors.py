"""The one error of this package."""


class ReleaseError(Exception):
    """Nothing was released or rolled back; the message names the stack, what is wrong and the next step."""
