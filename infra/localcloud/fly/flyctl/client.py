"""Calls of the stand-in's private API, on loopback only."""

import http.client
import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from infra.localcloud.fly.flyctl.errors import ApiError, CommandError, UnreachableError

_TIMEOUT_S = 120.0
_DEPLOY_TIMEOUT_S = 3600.0


class Client:
    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._address = _loopback(base_url)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 -- JSON
        """Raises ApiError or UnreachableError."""
        connection = http.client.HTTPConnection(*self._address, timeout=_TIMEOUT_S)
        try:
            return json.loads(self._send(connection, method, path, body).read())
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(self._reason(error)) from error
        finally:
            connection.close()

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The JSON lines of a long answer, as they come; to stop reading is to hang up."""
        connection = http.client.HTTPConnection(*self._address, timeout=_DEPLOY_TIMEOUT_S)
        try:
            response = self._send(connection, "POST", path, body)
            while line := response.readline():
                yield json.loads(line)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(self._reason(error)) from error
        finally:
            connection.close()

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Mapping[str, Any] | None
    ) -> http.client.HTTPResponse:
        connection.request(method, path, json.dumps(body) if body is not None else None, self._headers)
        response = connection.getresponse()
        if response.status >= 400:
            answer = json.loads(response.read())
            raise ApiError(answer["code"], answer["message"], status=response.status)
        return response

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ConnectionRefusedError):
            return f"dial tcp {self._address[0]}:{self._address[1]}: connect: connection refused"
        if isinstance(error, http.client.RemoteDisconnected):
            return "EOF"
        if isinstance(error, ConnectionResetError):
            return "read: connection reset by peer"
        return str(error) or type(error).__name__


def _loopback(base_url: str) -> tuple[str, int]:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback:
        raise CommandError(
            f"this flyctl is the loopback stand-in and refuses FLY_API_BASE_URL={base_url!r}; "
            "set it to http://127.0.0.1:<port> of the Fly stand-in, or put the real flyctl on PATH"
        )
    return host, parts.port or 80
