"""A machine's process: signals, exit, output, and that nothing outlives it."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.localcloud.fly.machine.process import MachineProcess, free_port
from tests.infra.localcloud.fly.waiting import is_alive, until

# Starts a grandchild in a session of its own, tells both pids, and goes on.
FAMILY = """
import os, signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(0.1 if "brief" in sys.argv else 600)
"""
OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(4))
print("up", flush=True)
time.sleep(600)
"""
# A stand-in for the stand-in: starts such a machine and waits to be killed.
PARENT = """
import asyncio, sys
from pathlib import Path
from infra.localcloud.fly.machine.process import MachineProcess
async def main():
    argv = [sys.executable, "-c", sys.argv[1]]
    await MachineProcess.start(argv, Path("/"), {}, 0, lambda line: print(line, flush=True))
    await asyncio.sleep(600)
asyncio.run(main())
"""


class Machines:
    """Starts processes and ends those that a test left."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._started: list[MachineProcess] = []

    async def start(self, *argv: str, environment: dict[str, str] | None = None) -> MachineProcess:
        process = await MachineProcess.start(argv, Path("/"), environment or {}, free_port(), self.lines.append)
        self._started.append(process)
        return process

    async def start_family(self, *how: str) -> tuple[MachineProcess, list[int]]:
        process = await self.start(sys.executable, "-c", FAMILY, *how)
        await until(lambda: bool(self.lines))
        return process, [int(pid) for pid in self.lines[0].split()]

    async def end(self) -> None:
        for process in self._started:
            await process.kill()
            await process.wait()


@pytest.fixture
async def machines() -> AsyncIterator[Machines]:
    machines = Machines()
    yield machines
    await machines.end()


def test_ports_are_not_those_that_the_system_gives_out_and_differ() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = [free_port() for _ in range(200)]
    assert max(ports) < lowest
    assert len({*ports}) == len(ports)


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        another = free_port()
        monkeypatch.setattr("infra.localcloud.fly.machine.process._ports", itertools.cycle([port, another]))
        assert free_port() == another


async def test_the_exit_status_and_every_line_are_known_when_it_ends(machines: Machines) -> None:
    process = await machines.start("/bin/sh", "-c", "echo one; echo two >&2; printf three; exit 7")
    assert await process.wait() == 7
    assert machines.lines == ["one", "two", "three"]
    assert not process.running


async def test_the_environment_is_exactly_what_was_given(machines: Machines) -> None:
    await (await machines.start("/usr/bin/env", environment={"ONLY": "this"})).wait()
    assert machines.lines == ["ONLY=this"]


async def test_a_command_that_does_not_exist_says_so(machines: Machines) -> None:
    assert await (await machines.start("no-such-command")).wait() == 127
    assert machines.lines == ["init: cannot start 'no-such-command': No such file or directory"]


async def test_a_line_without_end_is_cut_instead_of_kept_in_memory(machines: Machines) -> None:
    await (await machines.start("/bin/sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x")).wait()
    assert sum(len(line) for line in machines.lines) == 100_000
    assert len(machines.lines) > 1


async def test_stop_sends_the_signal_to_the_command(machines: Machines) -> None:
    process = await machines.start(sys.executable, "-c", OBEDIENT)
    await until(lambda: bool(machines.lines))
    assert await process.stop("SIGINT", 60) == 4


async def test_a_command_ended_by_a_signal_has_a_status_above_128(machines: Machines) -> None:
    process, _ = await machines.start_family()
    assert await process.stop("SIGTERM", 60) == 128 + signal.SIGTERM


async def test_what_ignores_the_signal_is_killed_after_the_timeout(machines: Machines) -> None:
    process, pids = await machines.start_family("stubborn")
    assert await process.stop("SIGTERM", 0.2) == 128 + signal.SIGKILL
    assert not any(is_alive(pid) for pid in pids)


async def test_processes_left_behind_by_the_command_end_with_it(machines: Machines) -> None:
    process, pids = await machines.start_family("brief")
    assert await process.wait() == 0
    assert not any(is_alive(pid) for pid in pids)


async def test_stopping_ends_the_children_too(machines: Machines) -> None:
    process, pids = await machines.start_family()
    await process.stop("SIGTERM", 60)
    assert not any(is_alive(pid) for pid in pids)


async def test_nothing_survives_when_the_stand_in_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, FAMILY, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[5]
    )
    try:
        assert parent.stdout is not None
        pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
        assert all(is_alive(pid) for pid in pids)
    finally:
        parent.kill()
        await parent.wait()
    try:
        await until(lambda: not any(is_alive(pid) for pid in pids))
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)


async def test_the_command_does_not_survive_its_launcher(machines: Machines) -> None:
    _, (command, child) = await machines.start_family()
    launcher = int(Path(f"/proc/{command}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(launcher, signal.SIGKILL)
    try:
        await until(lambda: not is_alive(command))
    finally:
        for pid in (command, child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
