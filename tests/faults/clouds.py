"""All four stand-ins in a thread of this process, on fixed ports, started afresh for every case."""

import asyncio
import shutil
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from grpclib.client import Channel
from modal_proto import api_pb2
from modal_proto.api_grpc import ModalClientStub

from infra.config import StackConfig
from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.faults import Fault, Faults
from infra.localcloud.faults.injector import Call
from infra.localcloud.faults.plan import Service
from infra.localcloud.fly import Fly
from infra.localcloud.modal import Modal
from infra.localcloud.ports import Ports
from infra.localcloud.r2 import R2
from infra.localcloud.stackfile import credentials

T = TypeVar("T")
Moment = Callable[[Call], None]


def _nothing(_: Call) -> None:
    """Nobody waits for it."""


class WatchedFaults(Faults):
    """Tells when a call comes (`arrived`, before it is handled) and when its answer is about to go (`handled`)."""

    arrived: Moment = staticmethod(_nothing)
    handled: Moment = staticmethod(_nothing)

    def begin(self, service: Service, call: str) -> tuple[Call, Fault | None]:
        begun = super().begin(service, call)
        self.arrived(begun[0])
        return begun

    def end(self, call: Call, status: int) -> None:
        super().end(call, status)
        self.handled(call)


class Clouds:
    """`reset` ends what runs and starts again on a copy of a folder of states, or on nothing."""

    def __init__(self, config: StackConfig, folder: Path) -> None:
        self.config = config
        self.faults = WatchedFaults()
        self._folder, self._round = folder, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._running: list[R2 | Cloudflare | Modal | Fly] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def reset(self, snapshot: Path | None = None) -> None:
        self.run(self._stop())
        self._round += 1
        state = self._folder / str(self._round)
        if snapshot:
            shutil.copytree(snapshot, state)
        self.faults = WatchedFaults()
        self.run(self._start(state))
        shutil.rmtree(self._folder / str(self._round - 1), ignore_errors=True)

    def snapshot(self, folder: Path) -> None:
        """Ends what runs and copies its states."""
        self.run(self._stop())
        shutil.copytree(self._folder / str(self._round), folder)

    def close(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self, state: Path) -> None:
        ports, known, config, python = Ports.of(self.config), credentials(), self.config, Path(sys.executable)
        self.r2 = R2(state=state / "r2", port=ports.r2, faults=self.faults)
        self.cloudflare = Cloudflare(
            state=state / "cloudflare",
            port=ports.cloudflare,
            site_port=ports.site,
            site_project=config.pages_project,
            buckets=self.r2.control,
            account_id=config.account_id,
            zones={},
            tokens=frozenset({known["CLOUDFLARE_API_TOKEN"]}),
            faults=self.faults,
        )
        self.modal = Modal(
            state=state / "modal",
            grpc_port=ports.modal_grpc,
            http_port=ports.modal_http,
            python=python,
            tokens={known["MODAL_TOKEN_ID"]: known["MODAL_TOKEN_SECRET"]},
            faults=self.faults,
        )
        self.fly = Fly(
            state=state / "fly",
            port=ports.fly,
            fronts={config.fly_app: ports.api},
            python=python,
            tokens=frozenset({known["FLY_ACCESS_TOKEN"]}),
            certificate_delay_s=0.0,
            faults=self.faults,
        )
        for stand_in in (self.r2, self.cloudflare, self.modal, self.fly):
            await stand_in.start()
            self._running.append(stand_in)

    async def _stop(self) -> None:
        running, self._running = self._running, []
        await asyncio.gather(*(stand_in.stop() for stand_in in running))

    async def modal_lists(self) -> tuple[list[str], list[str]]:
        """The deployed apps and the secrets by name."""
        known = credentials()
        metadata = {
            "x-modal-token-id": known["MODAL_TOKEN_ID"],
            "x-modal-token-secret": known["MODAL_TOKEN_SECRET"],
        }
        async with Channel("127.0.0.1", self.modal.grpc_port) as channel:
            stub = ModalClientStub(channel)
            environment = self.config.modal_environment
            apps = await stub.AppList(api_pb2.AppListRequest(environment_name=environment), metadata=metadata)
            secrets = await stub.SecretList(api_pb2.SecretListRequest(environment_name=environment), metadata=metadata)
        deployed = [app.description for app in apps.apps if app.state == api_pb2.APP_STATE_DEPLOYED]
        return sorted(deployed), sorted(item.label for item in secrets.items)
