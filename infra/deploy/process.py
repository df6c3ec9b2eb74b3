"""Runs one tool: argument list in, its standard output back, everything it says on our standard error, redacted.

A tool gets a time limit and a process group of its own, so that neither a hang nor an interrupt leaves it behind.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from infra.deploy.errors import DeployError
from infra.sources import ROOT

GRACE_S = 3


def run(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    inherit: Collection[str] | None = None,
    stdin: str = "",
    cwd: Path = ROOT,
    timeout_s: float = 600,
    secrets: Sequence[str] = (),
    quiet: bool = False,
) -> str:
    """Standard output of a tool that succeeded; raises DeployError with its last words otherwise.

    `env` is laid over the ambient environment, or over the variables of it that `inherit` names. `secrets` never reach
    our output. `quiet` holds the standard output back from the log (what is parsed is seldom worth reading).
    """
    ambient = {name: value for name, value in os.environ.items() if inherit is None or name in inherit}
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=cwd,
            env={**ambient, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        raise DeployError(f"{arguments[0]} is not installed or not on PATH") from None
    with _group_ends_with_us(process):
        return _communicate(process, arguments, stdin, timeout_s, secrets, quiet)


def _communicate(
    process: "subprocess.Popen[str]",
    arguments: Sequence[str],
    stdin: str,
    timeout_s: float,
    secrets: Sequence[str],
    quiet: bool,
) -> str:
    output: list[str] = []
    errors: list[str] = []
    readers = [
        threading.Thread(target=_copy, args=(process.stdout, output, secrets, quiet)),
        threading.Thread(target=_copy, args=(process.stderr, errors, secrets, False)),
    ]
    for reader in readers:
        reader.start()
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):  # a tool that ends early says why on its standard error
            process.stdin.write(stdin)
            process.stdin.close()
    try:
        status = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise DeployError(f"{_name(arguments)} did not end within {timeout_s:.0f} s") from None
    finally:
        _kill_group(process)
        for reader in readers:
            reader.join()
    if status != 0:
        said = "".join(errors or output).strip().splitlines()[-8:]
        raise DeployError(redact(f"{_name(arguments)} failed (exit {status}): " + "\n".join(said), secrets))
    return "".join(output)


def redact(text: str, secrets: Sequence[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201 -- standard error is this program's log


def _name(arguments: Sequence[str]) -> str:
    return " ".join([Path(arguments[0]).name, *arguments[1:3]])


def _copy(stream: IO[str] | None, kept: list[str], secrets: Sequence[str], quiet: bool) -> None:
    for line in stream or ():
        kept.append(line)
        if not quiet:
            log(redact(line.rstrip(), secrets))


@contextlib.contextmanager
def _group_ends_with_us(process: "subprocess.Popen[str]") -> Iterator[None]:
    """A signal that ends us ends the tool first."""

    def end(number: int, frame: object) -> None:
        _end_group(process)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_group(process: "subprocess.Popen[str]") -> None:
    """flyctl gives its leases back when it is asked to end; one that it keeps blocks the next deployment."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    _kill_group(process)


def _kill_group(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
