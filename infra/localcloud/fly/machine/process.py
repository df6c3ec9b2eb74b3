"""The process of a started machine: its launcher, its lifeline and its output."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("launcher.py")
LONGEST_LINE_BYTES = 16 * 1024
_KILL_WAIT_S = 5.0
# Below what systems give out by themselves (from 32768 on Linux, from 49152 elsewhere).
MACHINE_PORTS = range(10_000, 20_000)


# In no order, so that two stand-ins seldom try the same one, and round and round, so that one never gives it out twice
# before its command listens.
_ports = itertools.cycle(random.sample(MACHINE_PORTS, len(MACHINE_PORTS)))


def free_port() -> int:
    """One that nobody is given by the system while the command starts; raises RuntimeError when all are taken."""
    for port in itertools.islice(_ports, len(MACHINE_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise RuntimeError(f"all ports from {MACHINE_PORTS.start} to {MACHINE_PORTS.stop - 1} are taken")


class MachineProcess:
    """Runs until its command ends, `stop` is called, or this process dies; `output` gets each line, without its end."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline: int, port: int) -> None:
        self._process = process
        self._lifeline: int | None = lifeline
        self._reader: asyncio.Task[None] | None = None
        self.port = port

    @classmethod
    async def start(
        cls, argv: Sequence[str], folder: Path, environment: Mapping[str, str], port: int, output: Callable[[str], None]
    ) -> Self:
        """The environment is complete: nothing of this process's own is added."""
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LAUNCHER), str(read_end), *argv),
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(read_end,),
                start_new_session=True,
            )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        started = cls(process, write_end, port)
        started._reader = asyncio.create_task(started._read(output))
        return started

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """The exit status, once all output has been read."""
        status = await self._process.wait()
        self._cut_lifeline()
        if self._reader is not None:
            await self._reader
        return status

    async def stop(self, signal_name: str, timeout_s: float) -> int:
        """Asks with the signal, and kills everything that is left after the timeout."""
        if self.running:
            self._process.send_signal(signal.Signals[signal_name])
            try:
                await asyncio.wait_for(self._process.wait(), timeout_s)
            except TimeoutError:
                await self.kill()
        return await self.wait()

    async def kill(self) -> None:
        """Everything at once, as when the power goes."""
        self._cut_lifeline()
        try:
            await asyncio.wait_for(self._process.wait(), _KILL_WAIT_S)
        except TimeoutError:
            self._process.kill()

    def _cut_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    async def _read(self, output: Callable[[str], None]) -> None:
        stream = self._process.stdout
        if stream is None:
            raise RuntimeError("the launcher was started without a pipe for its output")
        pending = b""
        while chunk := await stream.read(65536):
            *lines, pending = (pending + chunk).split(b"\n")
            if len(pending) > LONGEST_LINE_BYTES:
                lines, pending = [*lines, pending], b""
            for line in lines:
                output(line.decode(errors="replace").rstrip("\r"))
        if pending:
            output(pending.decode(errors="replace"))
