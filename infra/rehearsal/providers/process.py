"""Runs commands, each in a process group of its own, so that stopping one stops what it started too."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from infra.rehearsal.providers.base import ProviderError

Say = Callable[[str], None]

GRACE_SECONDS = 5.0
"""How long a command may take to end after SIGTERM before it is killed."""
GATE = ("/bin/sh", "-c", 'IFS= read -r rehearsal_gate && exec "$@"', "sh")
"""Before a command: it begins at the first line of its standard input, which comes once its process group is noted. If
the run is killed before, it never begins, so that no command runs that nobody could find."""


class Processes:
    """The commands that run now. After `stop()` no other begins."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: str,
        timeout: float | None,
        say_stdout: Say | None = None,
        say_stderr: Say | None = None,
        started: Callable[[int, str], None],
    ) -> tuple[str, str]:
        """Its stdout and stderr without the last newline. Raises ProviderError for any other exit status than 0."""
        with self._lock:
            if self._stopped.is_set():
                raise ProviderError("not begun: the run was interrupted")
            process = _begin(words, folder, environment)
            self._running.add(process.pid)
        try:
            _note(process, started)
            stdout, stderr, late = _talk(process, f"\n{stdin}", timeout, say_stdout, say_stderr)
        finally:
            with self._lock:
                self._running.discard(process.pid)
        if self._stopped.is_set() and process.returncode:
            raise ProviderError("interrupted: its command was stopped before it ended", uncertain=True)
        if late:
            raise ProviderError(f"timed out after {timeout:g} s: running {words[-1]!r}:\n{stdout}{stderr}".rstrip())
        if process.returncode:
            raise ProviderError(_failure(process.returncode, words[-1], stdout, stderr))
        return stdout.removesuffix("\n"), stderr.removesuffix("\n")

    def stop_soon(self) -> None:
        """`stop()` from a signal handler, which may have interrupted a holder of the lock."""
        threading.Thread(target=self.stop, daemon=True).start()

    def stop(self) -> None:
        """Ends every running command: SIGTERM now, SIGKILL after a grace."""
        with self._lock:
            self._stopped.set()
            running = list(self._running)
        for group in running:
            _signal(group, signal.SIGTERM)
        if running:
            timer = threading.Timer(GRACE_SECONDS, self._kill)
            timer.daemon = True
            timer.start()

    def _kill(self) -> None:
        with self._lock:
            for group in self._running:
                _signal(group, signal.SIGKILL)


def start_time(pid: int) -> str:
    """A process' start, in clock ticks since boot: with its id it names the process for good. Linux only, else ""."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def end_orphan(group: int, started: str) -> bool:
    """Kills the process group that a killed run left behind, if its leader still is the process that it was."""
    if not group or not started or start_time(group) != started:
        return False
    _signal(group, signal.SIGKILL)
    return True


def _begin(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    found = folder / words[0] if "/" in words[0] else words[0]
    if shutil.which(found, path=environment.get("PATH")) is None:
        raise ProviderError(f"cannot run {words[0]!r} in {folder}: there is no such program")
    try:
        return subprocess.Popen(
            [*GATE, *words],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ProviderError(f"cannot run {words[0]!r} in {folder}: {error.strerror}") from error


def _note(process: subprocess.Popen[bytes], started: Callable[[int, str], None]) -> None:
    """What cannot be noted may not begin."""
    try:
        started(process.pid, start_time(process.pid))
    except BaseException:
        _signal(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _talk(
    process: subprocess.Popen[bytes],
    stdin: str,
    timeout: float | None,
    say_stdout: Say | None,
    say_stderr: Say | None,
) -> tuple[str, str, bool]:
    """Feeds and reads the command until it ends; what is to be said is said line by line as it comes."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ProviderError("the command's streams are not open")
    out: list[bytes] = []
    err: list[bytes] = []
    readers = [
        threading.Thread(target=_read, args=(process.stdout, out, say_stdout), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, err, say_stderr), daemon=True),
        threading.Thread(target=_write, args=(process.stdin, stdin.encode()), daemon=True),
    ]
    for reader in readers:
        reader.start()
    late = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        late = True
        _signal(process.pid, signal.SIGKILL)
        process.wait()
    for reader in readers:
        reader.join()
    return b"".join(out).decode(errors="replace"), b"".join(err).decode(errors="replace"), late


def _read(stream: IO[bytes], into: list[bytes], say: Say | None) -> None:
    for line in stream:
        into.append(line)
        if say is not None:
            say(line.decode(errors="replace").rstrip("\r\n"))


def _write(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), stream:  # A command need not read what it is given.
        stream.write(data)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _failure(status: int, script: str, stdout: str, stderr: str) -> str:
    how = f"exit status {status}" if status > 0 else f"signal: {signal.Signals(-status).name}"
    return f'{how}: running "{script}":\n{stdout}{stderr}'.rstrip()
