"""Object storage on a free loopback port: GET with ranges, PUT, and the faults that a test asks for."""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNATURE = "X-Amz-Signature=c0ffee"


class Storage:
    """`objects` by path; `faults` are taken one a request: a status to answer, or a function of the handler."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: list[int | Callable[[Any], None]] = []
        self.released = threading.Event()
        self.arrived = threading.Event()
        self._held: dict[str, int] = {}
        self._counting = threading.Lock()
        self.serves_ranges = True
        self.port = 0

    def url(self, name: str) -> str:
        """A URL with a signature in its query, as presigned ones have."""
        return f"http://127.0.0.1:{self.port}/{name}?{SIGNATURE}"

    def hold(self, method: str, after: int = 0) -> None:
        """Requests of this method, after the next `after`, wait until the storage is closed; `arrived` tells of one."""
        self._held[method] = after

    def holds(self, method: str) -> bool:
        """Whether a request of this method that comes now has to wait."""
        with self._counting:
            left = self._held.get(method)
            if left:
                self._held[method] = left - 1
            return left == 0


@contextmanager
def serving() -> Iterator[Storage]:
    storage = Storage()
    server = _Server(("127.0.0.1", 0), _handler(storage))
    server.daemon_threads = True
    storage.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield storage
    finally:
        storage.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to print; any other error is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self._is_fault():
                return None
            data = storage.objects.get(self._name())
            if data is None:
                return self._answer(404, b"<Error/>")
            wanted = self.headers.get("Range", "")
            if not storage.serves_ranges:
                return self._answer(200, data)
            start, end = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
            if start >= len(data):
                return self._answer(416, b"<Error/>")
            end = min(end + 1, len(data))
            fields = {
                "Content-Range": f"bytes {start}-{end - 1}/{len(data)}",
                "ETag": hashlib.md5(data).hexdigest(),
            }
            return self._answer(206, data[start:end], fields)

        def do_PUT(self) -> None:
            if self._is_fault():
                self.close_connection = True
                return
            data = self.rfile.read(int(self.headers["Content-Length"]))
            storage.objects[self._name()] = data
            storage.headers[self._name()] = {name.lower(): value for name, value in self.headers.items()}
            self._answer(200, b"")

        def _is_fault(self) -> bool:
            storage.requests.append((self.command, self.headers.get("Range", "")))
            if storage.holds(self.command):
                storage.arrived.set()
                storage.released.wait()
                self.close_connection = True
                return True
            fault = storage.faults.pop(0) if storage.faults else None
            if isinstance(fault, int):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(fault, b"<Error/>")
            elif fault is not None:
                fault(self)
            return fault is not None

        def _name(self) -> str:
            return self.path.partition("?")[0].lstrip("/")

        def _answer(self, status: int, data: bytes, fields: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **(fields or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def cut_short(handler: Any) -> None:
    """Promises more bytes than it sends, then hangs up."""
    handler.send_response(206)
    handler.send_header("Content-Range", "bytes 0-999/1000")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"x" * 10)
    handler.close_connection = True
