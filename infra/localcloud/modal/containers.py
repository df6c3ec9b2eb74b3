"""Containers: the real `modal._container_entrypoint` on this machine, given what a Modal worker would give it.

A container sees PATH, HOME and LANG, its image's and secrets' variables and what the entrypoint needs, nothing else.
It works in a folder of its own, which is also its TMPDIR and goes away with it; its log stays until `KEEP_LOGS_S`.
"""

import os
import shutil
import time
from asyncio import TimerHandle
from dataclasses import dataclass, field
from pathlib import Path

from modal_proto import api_pb2

from infra.localcloud.modal.apps import Apps
from infra.localcloud.modal.auth import CONTAINER_HEADER, Gate
from infra.localcloud.modal.calls import Input
from infra.localcloud.modal.deployments import Deployments
from infra.localcloud.modal.functions import Definition
from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.images import Images
from infra.localcloud.modal.layers import HOME
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.processes import Process
from infra.localcloud.modal.secrets import Secrets
from infra.localcloud.modal.signals import Signal

KEEP_LOGS_S = 7 * 24 * 3600.0
_INHERITED = ("PATH", "HOME", "LANG")


@dataclass
class Attempt:
    """An input that a container works on."""

    input: Input
    timer: TimerHandle
    is_cancelled: bool = False


@dataclass
class Container:
    """`is_draining` containers get no more inputs; `is_stopped` ones are being killed on purpose."""

    definition: Definition
    id: str = field(default_factory=lambda: new_id("ta"))
    enqueued_at: float = field(default_factory=time.time)
    started_at: float = 0.0
    idle_since: float = field(default_factory=time.monotonic)
    running: dict[str, Attempt] = field(default_factory=dict)
    cancelled_inputs: list[str] = field(default_factory=list)
    cancelled: Signal = field(default_factory=Signal)
    failure: api_pb2.GenericResult | None = None
    process: Process | None = None
    is_draining: bool = False
    is_stopped: bool = False

    @property
    def is_serving(self) -> bool:
        """It has imported the function and asked for an input."""
        return self.started_at > 0

    def stop(self) -> None:
        self.is_draining = self.is_stopped = True
        if self.process is not None:
            self.process.kill()


@dataclass(frozen=True)
class Machine:
    """What containers are made of."""

    python: Path
    folder: Path
    apps: Apps
    deployments: Deployments
    images: Images
    mounts: Mounts
    secrets: Secrets
    gate: Gate
    server_url: str

    def clean(self) -> None:
        """Removes what an earlier stand-in left: folders of containers that died with it, old logs."""
        shutil.rmtree(self.folder / "containers", ignore_errors=True)
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for log in logs.iterdir():
            if log.stat().st_mtime < time.time() - KEEP_LOGS_S:
                log.unlink()

    def log(self, container: Container) -> Path:
        return self.folder / "logs" / f"{container.id}.log"

    async def run(self, container: Container) -> str:
        """Runs the container to its end and says how it ended."""
        home = self.folder / "containers" / container.id
        home.mkdir(parents=True)
        token = self.gate.issue(container.id)
        try:
            container.process = await self._process(container, home, token)
            if container.is_stopped:
                return "was stopped before it began"
            return await container.process.run()
        finally:
            self.gate.revoke(token)
            shutil.rmtree(home, ignore_errors=True)

    async def _process(self, container: Container, home: Path, token: str) -> Process:
        definition = container.definition
        app = self.apps.app(definition.app_id)
        arguments = api_pb2.ContainerArguments(
            task_id=container.id,
            function_id=definition.function_id,
            app_id=app.id,
            function_def=definition.function,
            app_layout=self.deployments.layout(app.id),
            environment_name=app.environment,
        )
        arguments_path = home / "arguments.bin"
        arguments_path.write_bytes(arguments.SerializeToString())
        sources = await self.mounts.tree(definition.function.mount_ids)
        environment = {
            # An image's own PATH would name folders of a base that is never built.
            **self.images.environment(definition.function.image_id),
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **self.secrets.variables(definition.function.secret_ids),
            "MODAL_IS_REMOTE": "1",
            "MODAL_SERVER_URL": self.server_url,
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(arguments_path),
            "MODAL_CONFIG_PATH": str(home / "no-modal.toml"),
            "MODAL_OVERRIDE_HEADERS": f"{CONTAINER_HEADER}:{token}",
            "MODAL_TASK_ID": container.id,
            "MODAL_ENVIRONMENT": app.environment,
            "MODAL_IMAGE_ID": definition.function.image_id,
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in self._python_path(sources, definition)),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(home),
        }
        command = [str(self.python), "-m", "modal._container_entrypoint"]
        return Process(self.python, command, environment, cwd=home, log=self.log(container))

    def _python_path(self, sources: Path, definition: Definition) -> list[Path]:
        """Mounted sources lie over those that the image has."""
        image = self.images.folder(definition.function.image_id)
        return [sources] if image is None else [sources, image / HOME.relative_to("/")]
