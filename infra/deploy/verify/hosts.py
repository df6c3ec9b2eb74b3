"""Do the host names of the outputs resolve, and are the certificates of the https ones good for a while?"""

import asyncio
import ipaddress
import socket
import ssl
from datetime import UTC, datetime
from functools import partial
from urllib.parse import SplitResult, urlsplit

from infra.deploy.errors import DeployError
from infra.deploy.verify.outputs import Outputs
from infra.deploy.verify.report import Check, StillUsableError

MIN_DAYS_LEFT = 14
TIMEOUT_S = 15.0


def checks(outputs: Outputs) -> list[Check]:
    """A row for the name of each host, and one for the certificate of each that speaks TLS."""
    found: dict[str, Check] = {}
    for address in addresses(outputs):
        host = address.hostname or ""
        name = f"DNS {host}"
        found.setdefault(name, Check(name, partial(resolve, host)))
        if address.scheme in ("https", "wss"):
            port = address.port or 443
            row = certificate_row(address)
            found.setdefault(row, Check(row, partial(certificate, host, port), (name,)))
    return list(found.values())


def addresses(outputs: Outputs) -> list[SplitResult]:
    given = (outputs.app_url, outputs.api_url, outputs.health_url, outputs.ws_url, outputs.landing_url)
    return [urlsplit(url) for url in given if url]


def rows_of(url: str) -> tuple[str, ...]:
    """The names of the rows about this address's host."""
    address = urlsplit(url)
    encrypted = address.scheme in ("https", "wss")
    return (f"DNS {address.hostname}", *([certificate_row(address)] if encrypted else []))


def certificate_row(address: SplitResult) -> str:
    return f"certificate {address.hostname}" + (f":{address.port}" if address.port else "")


async def resolve(host: str) -> str:
    if _is_loopback(host):
        return "loopback: nothing to resolve"
    try:
        found = await asyncio.wait_for(asyncio.to_thread(socket.getaddrinfo, host, None), TIMEOUT_S)
    except TimeoutError:
        raise DeployError(f"no name server answered about {host} within {TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise DeployError(
            f"{host} does not resolve ({error.strerror}); its DNS record is missing or not yet known"
        ) from None
    return ", ".join(sorted({str(each[4][0]) for each in found}))


async def certificate(host: str, port: int) -> str:
    """Raises StillUsableError for one that is valid and ends soon."""
    try:
        ends = await asyncio.wait_for(asyncio.to_thread(_not_after, host, port), 2 * TIMEOUT_S)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        raise DeployError(f"the certificate of {host} is not valid: {reason}") from None
    except (OSError, TimeoutError) as error:
        raise DeployError(f"{host}:{port} does not answer with TLS: {error or type(error).__name__}") from None
    days = (ends - datetime.now(UTC)).days
    if days <= MIN_DAYS_LEFT:
        raise StillUsableError(f"the certificate of {host} ends in {days} days; `flyctl certs check {host}` says why")
    return f"valid, {days} days left"


def _not_after(host: str, port: int) -> datetime:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        shown = secure.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
