"""Which storage hosts the media functions may talk to; without a list a caller could make them reach inner networks."""

import os

from gpu.contract import ErrorCode
from gpu.render.address import parse_address
from gpu.render.errors import MediaFailure

VARIABLE = "MEDIA_HOSTS"
"""Comma-separated `host[:port]`; a host without port allows the scheme's own port. Unset allows every host."""


def check_host(url: str, code: ErrorCode) -> None:
    """Raises MediaFailure(code) when MEDIA_HOSTS is set and does not list the URL's host."""
    listed = os.environ.get(VARIABLE)
    if listed is None:
        return
    address = parse_address(url, code)
    allowed = {entry.strip().lower() for entry in listed.split(",")}
    if not {address.name, f"{address.host}:{address.port}"} & allowed:
        raise MediaFailure(code, f"{address.name} is not one of the storage hosts in {VARIABLE}")
