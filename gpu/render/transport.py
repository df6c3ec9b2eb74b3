"""HTTP calls with retries, over the standard library. Messages name the host only: a presigned URL is a secret.

Redirects are not followed, so a URL that passed the host check cannot lead elsewhere.
"""

import http.client
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO, NamedTuple, TypeVar

from gpu.contract import ErrorCode
from gpu.render.address import parse_address
from gpu.render.errors import MediaFailure

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.2
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_SEND_BLOCK = 1 << 18
_MOST_ANSWERED = 2 << 20
"""Bytes kept of an answer: twice the largest range that is asked for. An answer may be the whole video, or endless."""

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class TransientError(Exception):
    """A failure that another attempt may not meet; its text has no URL."""


class Response(NamedTuple):
    """Status, headers with lower-case names, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Calls one URL; each thread keeps a connection of its own. Failures carry `code`."""

    def __init__(self, url: str, code: ErrorCode) -> None:
        self._address = parse_address(url, code)
        self.code = code
        self.host = self._address.name
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._aborted = threading.Event()

    def call(self, method: str, headers: Mapping[str, str], body: BinaryIO | None = None) -> Response:
        """One attempt; raises TransientError when the connection fails or the status is a transient one.

        A body needs its length in `headers`.
        """
        connection = self._connection()
        try:
            connection.request(method, self._address.target, body=body, headers=dict(headers))
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            response = Response(answer.status, fields, answer.read(_MOST_ANSWERED))
        except (OSError, http.client.HTTPException) as error:
            self._drop(connection)
            raise TransientError(f"{self.host} did not answer ({type(error).__name__})") from error
        if answer.will_close or response.status >= 400 or not answer.isclosed():
            self._drop(connection)
        if response.status in TRANSIENT_STATUSES:
            raise TransientError(f"{self.host} answered {response.status}")
        return response

    def retrying(self, doing: str, attempt: Callable[[], Result]) -> Result:
        """Repeats `attempt` after transient errors with growing pauses; raises MediaFailure after the last."""
        attempts, pause = 0, FIRST_PAUSE_SECONDS
        while True:
            attempts += 1
            try:
                return attempt()
            except TransientError as error:
                if attempts == ATTEMPTS or self._aborted.is_set():
                    raise MediaFailure(self.code, f"{doing} failed after {attempts} attempts: {error}") from error
                log.warning("%s: %s; trying again in %.1f s", doing, error, pause)
            self._aborted.wait(pause)
            pause *= 2

    def abort(self) -> None:
        """Ends calls in progress and refuses new ones; may be called from any thread."""
        with self._lock:
            self._aborted.set()
            connections = list(self._open)
        for connection in connections:
            _shut(connection.sock)

    def _connection(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._aborted.is_set():
                raise TransientError(f"the calls to {self.host} were stopped")
            connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            if connection is None or connection not in self._open:
                kind = http.client.HTTPSConnection if self._address.secure else http.client.HTTPConnection
                host, port = self._address.host, self._address.port
                connection = kind(host, port, timeout=TIMEOUT_SECONDS, blocksize=_SEND_BLOCK)
                self._local.connection = connection
                self._open.add(connection)
            return connection

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()


def _shut(connected: socket.socket | None) -> None:
    """Wakes whoever waits on the socket; its owner closes it."""
    if connected is not None:
        try:
            connected.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            log.debug("a connection was already closed: %s", error)
