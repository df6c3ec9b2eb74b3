"""What makes a DNS record valid: name, type, content, TTL and proxying, with Cloudflare's codes for each refusal."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from infra.localcloud.cloudflare.envelope import CloudflareError, Json, unimplemented

PROXIABLE = ("A", "AAAA", "CNAME")
AUTOMATIC = 1
_LABEL = re.compile(r"(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)")


def valid_record(body: Json, zone: str) -> Json:
    """The fields a record keeps, normalised: full lower-case name, TTL 1 (automatic) while proxied."""
    kind = body.get("type")
    if not isinstance(kind, str) or not kind:
        raise CloudflareError(400, 9000, "DNS record type is required.")
    if kind not in _CONTENT:
        raise unimplemented(f"DNS records of type {kind!r}, only {', '.join(_CONTENT)}")
    name = full_name(body.get("name"), zone)
    proxied = bool(body.get("proxied") or False)
    content = _CONTENT[kind](body.get("content"))
    if kind == "CNAME" and content == name:
        raise CloudflareError(400, 9039, "CNAME content cannot reference itself.")
    if proxied:
        _check_proxied(kind, content)
    record = {
        "name": name,
        "type": kind,
        "content": content,
        "proxiable": kind in PROXIABLE,
        "proxied": proxied,
        "ttl": AUTOMATIC if proxied else _ttl(body.get("ttl", AUTOMATIC)),
        "settings": body.get("settings") or {},
        "comment": body.get("comment"),
        "tags": body.get("tags") or [],
    }
    if kind == "MX":
        record["priority"] = _priority(body.get("priority"))
    return record


def full_name(given: object, zone: str) -> str:
    """The record's whole name: "@" is the zone, a name outside the zone is taken relative to it."""
    if not isinstance(given, str) or not given:
        raise CloudflareError(400, 9000, "DNS name is invalid.")
    name = given.lower().rstrip(".")
    if name == "@":
        return zone
    if name != zone and not name.endswith(f".{zone}"):
        name = f"{name}.{zone}"
    if not _is_host(name):
        raise CloudflareError(400, 9000, "DNS name is invalid.")
    return name


def _is_host(name: str) -> bool:
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _ipv4(content: object) -> str:
    try:
        return str(ipaddress.IPv4Address(content if isinstance(content, str) else ""))
    except ValueError as error:
        raise CloudflareError(400, 9005, "Content for A record must be a valid IPv4 address.") from error


def _ipv6(content: object) -> str:
    try:
        return str(ipaddress.IPv6Address(content if isinstance(content, str) else ""))
    except ValueError as error:
        raise CloudflareError(400, 9006, "Content for AAAA record must be a valid IPv6 address.") from error


def _host(kind: str, code: int) -> Callable[[object], str]:
    def check(content: object) -> str:
        host = content.lower().rstrip(".") if isinstance(content, str) else ""
        if not _is_host(host) or "*" in host or _is_address(host):
            raise CloudflareError(400, code, f"Content for {kind} record is invalid.")
        return host

    return check


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _text(content: object) -> str:
    if not isinstance(content, str) or not content or len(content) > 2_048:
        raise CloudflareError(400, 9051, "Content for TXT record must be 1 to 2048 characters.")
    return content


_CONTENT: dict[str, Callable[[object], str]] = {
    "A": _ipv4,
    "AAAA": _ipv6,
    "CNAME": _host("CNAME", 9007),
    "MX": _host("MX", 9009),
    "TXT": _text,
}


def _check_proxied(kind: str, content: str) -> None:
    if kind not in PROXIABLE:
        raise CloudflareError(400, 9004, "This record type cannot be proxied.")
    if kind != "CNAME" and not ipaddress.ip_address(content).is_global:
        raise CloudflareError(400, 9003, f"Target {content} is not allowed for a proxied record.")


def _ttl(given: Any) -> int:  # noqa: ANN401 -- JSON from outside, checked here
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or given != int(given) or not (given == AUTOMATIC or 60 <= given <= 86_400):
        raise CloudflareError(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
    return int(given)


def _priority(given: Any) -> int:  # noqa: ANN401 -- JSON from outside, checked here
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or given != int(given) or not 0 <= given <= 65_535:
        raise CloudflareError(400, 9100, f"priority is {given!r}; an MX record needs 0 to 65535")
    return int(given)
