"""The caller's side of `forks.py`: the server as a context, and a command whose process id is known."""

import contextlib
import marshal
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SERVER = Path(__file__).with_name("forks.py")


@contextlib.contextmanager
def fork_server(root: Path, address: Path) -> Iterator[None]:
    """Runs until the block ends. Bytecode is written, so that the next one starts sooner.

    Of Modal's client only the first sign of life is called: the others would be calls that a slow run has more of.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["MODAL_HEARTBEAT_INTERVAL"] = "3600"
    process = subprocess.Popen(
        [sys.executable, "-P", str(SERVER), str(address), str(root)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the fork server ended with {process.wait()}")
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@dataclass
class Command:
    """`pid`: of the process itself, which leads a session of its own."""

    pid: int
    _server: socket.socket
    _output: IO[bytes]

    def wait(self, timeout_s: float = 120) -> tuple[int, str]:
        """Exit status (137: killed) and everything it said."""
        self._server.settimeout(timeout_s)
        with contextlib.closing(self._server), self._output:
            answer = self._server.recv(4, socket.MSG_WAITALL)
            self._output.seek(0)
            return struct.unpack("i", answer)[0], self._output.read().decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL to its group; returns when it is gone."""
        self.signal(signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            gone = os.pidfd_open(self.pid)
            select.select([gone], [], [], 120)
            os.close(gone)

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def run(address: Path, words: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: str = "") -> Command:
    """`python -m …` in a fork."""
    server = socket.socket(socket.AF_UNIX)
    server.connect(str(address))
    output = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by `wait`
    said = marshal.dumps([list(words), str(folder), dict(environment)])
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        socket.send_fds(server, [struct.pack("I", len(said))], [given.fileno(), output.fileno(), output.fileno()])
    server.sendall(said)
    [pid] = struct.unpack("i", server.recv(4, socket.MSG_WAITALL))
    return Command(pid, server, output)
