"""Headers between client, proxy and machine. Source: Fly's manual, "Request headers", and RFC 9110 section 7.6.1.

There is no TLS on loopback: a client that says `X-Forwarded-Proto: https` is taken for one that came over TLS.
"""

import time
from collections.abc import Mapping

from multidict import CIMultiDict, CIMultiDictProxy

from infra.localcloud.fly.ids import new_ulid

_HOP_BY_HOP = frozenset(
    [
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    ]
)
SERVER = "Fly/local"
VIA = "1.1 fly.io"


def came_over_tls(headers: CIMultiDictProxy[str]) -> bool:
    return headers.get("X-Forwarded-Proto", "").lower() == "https"


def to_machine(headers: CIMultiDictProxy[str], *, client: str, region: str, port: int) -> CIMultiDict[str]:
    """The client's headers, with Fly's own set whatever the client sent under their names."""
    passed = _end_to_end(headers)
    before = passed.get("X-Forwarded-For")
    tls = came_over_tls(headers)
    scheme = "https" if tls else "http"
    shown_port = "443" if tls else str(port)
    ours = {
        "Fly-Client-IP": client,
        "Fly-Region": region,
        "Fly-Request-Id": f"{new_ulid()}-{region}",
        "Fly-Forwarded-Proto": scheme,
        "Fly-Forwarded-Port": shown_port,
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Port": shown_port,
        "X-Forwarded-Ssl": "on" if tls else "off",
        "X-Request-Start": f"t={time.time_ns() // 1000}",
        "Via": VIA,
    }
    return _replaced(passed, ours)


def to_client(headers: CIMultiDictProxy[str], request_id: str) -> CIMultiDict[str]:
    return _replaced(_end_to_end(headers), {"Server": SERVER, "Via": VIA, "Fly-Request-Id": request_id})


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for value in headers.getall("Connection", []) for name in value.split(",")}
    dropped = _HOP_BY_HOP | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def _replaced(headers: CIMultiDict[str], values: Mapping[str, str]) -> CIMultiDict[str]:
    for name, value in values.items():
        headers[name] = value
    return headers
