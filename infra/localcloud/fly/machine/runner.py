"""The life of one machine: start, stop, update, and restart after a crash, one at a time.

A crash (exit status not 0) is followed by a restart, at most RESTART_LIMIT in a row; status 0 leaves it stopped.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Literal

from infra.localcloud.fly.ids import new_ulid
from infra.localcloud.fly.machine.assignment import Assignment, Host
from infra.localcloud.fly.machine.environment import command_of, environment_of
from infra.localcloud.fly.machine.health import Health
from infra.localcloud.fly.machine.process import MachineProcess, free_port
from infra.localcloud.fly.model import Event, Machine, MachineState, now

RESTART_LIMIT = 10
STEADY_S = 10.0
DRAIN_S = 1.0
_DRAIN_POLL_S = 0.01
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 10.0


class MachineRunner:
    """`load` counts requests and sockets under way, `sockets` only those; `served_at` is when the last one ended
    (monotonic); `crashes` only grows; `leaving` is set once it is about to be stopped for want of work.
    """

    def __init__(self, host: Host, record: Machine) -> None:
        self.record = record
        self.load = 0
        self.sockets = 0
        self.leaving = asyncio.Event()
        self.served_at = time.monotonic()
        self.crashes = 0
        self.health: Health | None = None
        self._host = host
        self._process: MachineProcess | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._restarts = 0

    @property
    def port(self) -> int:
        if self._process is None:
            raise RuntimeError(f"machine {self.record.id} is {self.record.state}, so it has no port")
        return self._process.port

    @property
    def running(self) -> bool:
        return self.record.state == "started" and self._process is not None and self._process.running

    @property
    def routable(self) -> bool:
        cordoned = self.record.cordoned or self.leaving.is_set()
        return self.running and not cordoned and self.health is not None and self.health.passing

    @property
    def pending(self) -> bool:
        """Whether it may become routable without anyone asking for it."""
        if self.record.cordoned or self.record.wanted != "started":
            return False
        if self.record.state == "started":
            return self.health is not None and self.health.in_grace and not self.health.passing
        return self._restarts < RESTART_LIMIT

    async def start(self) -> None:
        """Returns once the process exists; whether it is healthy is another question."""
        async with self._lock:
            self.record.wanted = "started"
            self._restarts = 0
            if self._process is None:
                await self._spawn()

    async def stop(self) -> None:
        async with self._lock:
            self.record.wanted = "stopped"
            await self._end(self.record.config.kill_timeout_s)
            self._set("stopped")

    def leave(self) -> None:
        """Gets nothing new from now on, and the proxy closes its sockets (the soft cordon before an autostop)."""
        self.leaving.set()
        self._host.changed()

    async def update(self, assignment: Assignment) -> None:
        """Puts a release on the machine; one that is not running stays so, and is not checked (`skip_launch`)."""
        async with self._lock:
            if self.record.wanted == "started":
                self._set("replacing")
            await self._end(self.record.config.kill_timeout_s)
            self._assign(assignment)
            self._note("update", "created", source="user")
            if self.record.wanted == "started":
                await self._spawn()
            else:
                self._set("stopped")

    async def shut_down(self, timeout_s: float) -> None:
        """Ends the process and every task; `wanted` stays, so that the next start of the stand-in starts it again."""
        async with self._lock:
            await self._end(min(timeout_s, self.record.config.kill_timeout_s))
            self.record.state = "stopped"
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def kill(self) -> None:
        """As when the host dies: no signal, no grace; the restart rule applies."""
        if self._process is not None:
            await self._process.kill()

    def _assign(self, assignment: Assignment) -> None:
        record, release = self.record, assignment.release
        record.image, record.config = assignment.image, assignment.config
        record.release_id, record.release_version = release.id, release.version
        record.instance_id = new_ulid()

    async def _spawn(self) -> None:
        record, host = self.record, self._host
        self.leaving = asyncio.Event()
        self.served_at = time.monotonic()
        self._set("starting")
        image = host.images.image(record.image.digest)
        port = free_port()
        self._process = await MachineProcess.start(
            command_of(image, host.python),
            host.images.root(image.digest) / image.folder.lstrip("/"),
            environment_of(host.name, record, image, host.deployed_secrets(), python=host.python, port=port),
            port,
            lambda line: host.log.write(record.id, line),
        )
        self.health = Health(record.config.service, port, host.session, host.changed)
        self._note("start", "started")
        self._set("started")
        self.health.start()
        self._spawn_task(self._watch(self._process))

    async def _end(self, timeout_s: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if self.record.state != "replacing":
            self._set("stopping")
        if self.health is not None:
            await self.health.stop()
        await self._drain()
        status = await process.stop(self.record.config.kill_signal, timeout_s)
        self._note("exit", "stopped", exit_code=status, requested_stop=True)

    async def _drain(self) -> None:
        """It gets no new requests; those that it has may end before the signal closes its connections.

        Sockets end by themselves only where the proxy closes them.
        """
        deadline = time.monotonic() + DRAIN_S
        while self._busy and time.monotonic() < deadline:  # noqa: ASYNC110 -- whoever changes the load knows no event
            await asyncio.sleep(_DRAIN_POLL_S)

    @property
    def _busy(self) -> bool:
        return (self.load if self.leaving.is_set() else self.load - self.sockets) > 0

    async def _watch(self, process: MachineProcess) -> None:
        began = time.monotonic()
        status = await process.wait()
        if self._process is not process:
            return
        self._process = None
        self.crashes += 1
        if self.health is not None:
            await self.health.stop()
        self._host.log.write(self.record.id, f"Main child exited normally with code: {status}", provider="runner")
        self._note("exit", "stopped", exit_code=status)
        if time.monotonic() - began > STEADY_S:
            self._restarts = 0
        if status == 0:
            self.record.wanted = "stopped"
        self._set("stopped")
        if self.record.wanted == "started" and self._restarts < RESTART_LIMIT:
            self._spawn_task(self._restart())

    async def _restart(self) -> None:
        delay = min(_FIRST_DELAY_S * 2**self._restarts, _LONGEST_DELAY_S)
        self._restarts += 1
        await asyncio.sleep(delay)
        async with self._lock:
            if self._process is None and self.record.wanted == "started":
                await self._spawn()

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _set(self, state: MachineState) -> None:
        self.record.state = state
        self.record.updated_at = now()
        self._host.save()
        self._host.changed()

    def _note(
        self,
        kind: Literal["launch", "start", "update", "exit"],
        status: MachineState,
        *,
        source: Literal["user", "flyd"] = "flyd",
        exit_code: int | None = None,
        requested_stop: bool = False,
    ) -> None:
        event = Event(
            type=kind, status=status, source=source, at=now(), exit_code=exit_code, requested_stop=requested_stop
        )
        self.record.note(event)
