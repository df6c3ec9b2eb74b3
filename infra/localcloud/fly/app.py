"""One app while the stand-in runs: its record, secrets, machines, log, and the proxy's view of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.localcloud.fly.errors import NotFoundError
from infra.localcloud.fly.ids import new_machine_id
from infra.localcloud.fly.images.store import ImageStore
from infra.localcloud.fly.logs import AppLog
from infra.localcloud.fly.machine.assignment import Assignment
from infra.localcloud.fly.machine.record import new_record
from infra.localcloud.fly.machine.runner import MachineRunner
from infra.localcloud.fly.model import App, Release, Secrets
from infra.localcloud.fly.store import Store

SHUTDOWN_LIMIT_S = 5.0
RELEASES_KEPT = 100


@dataclass(frozen=True)
class Resources:
    """What all apps of one stand-in share."""

    folder: Path
    store: Store
    images: ImageStore
    python: Path
    session: aiohttp.ClientSession


class AppHost:
    """`lease` is held by whoever changes the set of machines or what runs on them."""

    def __init__(self, resources: Resources, app: App, secrets: Secrets) -> None:
        self.app = app
        self.name = app.name
        self.secrets = secrets
        self.images = resources.images
        self.python = resources.python
        self.session = resources.session
        self.lease = asyncio.Lock()
        self.log = AppLog(resources.folder / "logs" / f"{app.name}.jsonl")
        self.machines = {id: MachineRunner(self, record) for id, record in app.machines.items()}
        for record in app.machines.values():
            record.state = "stopped"
        self._store = resources.store
        self._change = asyncio.Event()

    async def start(self) -> None:
        """Starts what was started when the stand-in last ran."""
        for runner in self.machines.values():
            if runner.record.wanted == "started":
                await runner.start()

    async def stop(self) -> None:
        await asyncio.gather(*(runner.shut_down(SHUTDOWN_LIMIT_S) for runner in self.machines.values()))
        self.log.close()

    def machine(self, machine_id: str) -> MachineRunner:
        """Raises NotFoundError."""
        try:
            return self.machines[machine_id]
        except KeyError:
            raise NotFoundError(f"machine {machine_id} not found in app {self.name}") from None

    async def create_machine(
        self,
        assignment: Assignment,
        *,
        start: bool = True,
        cordoned: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> MachineRunner:
        """A new machine; its process exists when this returns, unless `start` is false."""
        machine_id = new_machine_id()
        record = new_record(machine_id, assignment, start=start, cordoned=cordoned, metadata=metadata)
        runner = MachineRunner(self, record)
        self.app.machines[machine_id] = record
        self.machines[machine_id] = runner
        self.save()
        if start:
            await runner.start()
        return runner

    async def destroy_machine(self, runner: MachineRunner) -> None:
        await runner.shut_down(runner.record.config.kill_timeout_s)
        self.machines.pop(runner.record.id, None)
        self.app.machines.pop(runner.record.id, None)
        self.save()
        self.changed()

    def add_release(self, release: Release) -> None:
        self.app.releases = [*self.app.releases, release][-RELEASES_KEPT:]
        self.save()

    def stage_secrets(self, values: Mapping[str, str], removed: list[str]) -> None:
        kept = {name: value for name, value in self.secrets.staged.items() if name not in removed}
        self.secrets.staged = {**kept, **values}
        self._store.save_secrets(self.name, self.secrets)

    def deploy_secrets(self) -> None:
        """What is staged becomes what machines get, from their next start on."""
        self.secrets.deployed = dict(self.secrets.staged)
        self._store.save_secrets(self.name, self.secrets)

    def deployed_secrets(self) -> dict[str, str]:
        return self.secrets.deployed

    def save(self) -> None:
        self._store.save_app(self.app)

    def changed(self) -> None:
        """Wakes everyone in `wait_for_change`."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Returns at the next change of any machine or its load, or after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._change.wait()
        except TimeoutError:
            return
