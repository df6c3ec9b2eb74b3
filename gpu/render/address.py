"""Takes a URL apart and refuses what is no plain http or https address of a host."""

from typing import NamedTuple
from urllib.parse import urlsplit

from gpu.contract import ErrorCode
from gpu.render.errors import MediaFailure

_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """`target` is the path with the query, which holds a presigned URL's signature: keep it out of every message."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def name(self) -> str:
        """`host`, with the port where it is not the scheme's own; safe to show."""
        own = _PORTS["https" if self.secure else "http"]
        return self.host if self.port == own else f"{self.host}:{self.port}"


def parse_address(url: str, code: ErrorCode) -> Address:
    """Raises MediaFailure(code)."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    if port is None or parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise MediaFailure(code, "the address is not an http or https URL with a host")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", parts.hostname, port, target)
