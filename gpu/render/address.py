"""Takes a URL apart and refuses what is no plain http or https address of a host, or could not be sent as it is."""

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from gpu.contract import ErrorCode
from gpu.render.errors import MediaFailure

_PORTS = {"http": 80, "https": 443}
_SENDABLE = re.compile(r"[!-~]+")
"""ASCII without blanks and control characters: what a request line may hold, RFC 3986 §2."""
_NAME = re.compile(r"(?=.{1,254}\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
"""Labels of 1 to 63 characters and at most 253 in all, RFC 1035 §2.3.4, with or without the root's dot."""


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
    if _SENDABLE.fullmatch(url) is None:
        raise MediaFailure(code, "the address has blanks or characters that a URL must not hold; percent-encode them")
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    if port is None or parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise MediaFailure(code, "the address is not an http or https URL with a host")
    if not _is_host(parts.hostname):
        raise MediaFailure(code, "the address has a host that is neither a valid name nor an IP address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", parts.hostname, port, target)


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _NAME.fullmatch(host) is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
