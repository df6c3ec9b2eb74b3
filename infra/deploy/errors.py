"""The one error of the deploy steps."""


class DeployError(Exception):
    """A step failed; the message names the thing, what went wrong and, where known, the next step."""
