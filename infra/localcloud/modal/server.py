"""Puts the stand-in together and serves it: gRPC for the client and the containers, HTTP for blobs.

State lives below `state`; starting again on the same folder goes on where the last one ended, however it ended.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from grpclib.server import Server
from modal._utils.grpc_utils import custom_detail_codec
from modal_proto import api_pb2
from starlette.applications import Starlette

from infra.localcloud.asgi import LOOPBACK, AsgiServer, bind
from infra.localcloud.faults.http import with_faults
from infra.localcloud.faults.injector import Faults
from infra.localcloud.faults.rpc import FaultyRpc
from infra.localcloud.modal.apps import Apps
from infra.localcloud.modal.auth import Gate
from infra.localcloud.modal.blobs import Blobs
from infra.localcloud.modal.calls import Calls
from infra.localcloud.modal.containers import Machine
from infra.localcloud.modal.deployments import Deployments
from infra.localcloud.modal.dicts import Dicts
from infra.localcloud.modal.environments import IMAGE_BUILDER_VERSION, Environments
from infra.localcloud.modal.functions import Functions
from infra.localcloud.modal.images import Images
from infra.localcloud.modal.invocations import Invocations
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.queues import Queues
from infra.localcloud.modal.rpc import Dispatcher, Rpcs
from infra.localcloud.modal.scheduler import Scheduler
from infra.localcloud.modal.secrets import Secrets
from infra.localcloud.modal.store import Store
from infra.localcloud.modal.tasks import Tasks


class Modal:
    """`server_url` is the client's MODAL_SERVER_URL. Containers run on `python`, which must have the Modal client.

    `tokens` maps MODAL_TOKEN_ID to MODAL_TOKEN_SECRET; None lets every client in. `environments` exist beside `main`.
    `counts` says how often each call was made since the start.
    """

    def __init__(
        self,
        state: Path,
        grpc_port: int = 0,
        http_port: int = 0,
        *,
        python: Path,
        tokens: Mapping[str, str] | None = None,
        environments: Iterable[str] = (),
        faults: Faults | None = None,
    ) -> None:
        self._state = state.resolve()
        self._python = python
        self._tokens = tokens
        self._environments = tuple(environments)
        self._faults = faults
        self._running = AsyncExitStack()
        self.grpc_port = grpc_port
        self.http_port = http_port
        self.counts: Counter[str] = Counter()

    @property
    def server_url(self) -> str:
        return f"http://{LOOPBACK}:{self.grpc_port}"

    async def start(self) -> None:
        """Raises PortInUseError or StateInUseError before anything is served."""
        async with AsyncExitStack() as running:
            await self._start(running)
            self._running = running.pop_all()

    async def stop(self) -> None:
        """Kills the containers; the calls that they were running are run again after the next start."""
        await self._running.aclose()

    async def _start(self, running: AsyncExitStack) -> None:
        listener = bind(self.grpc_port)
        running.callback(listener.close)
        self.grpc_port = int(listener.getsockname()[1])
        self._state.mkdir(parents=True, exist_ok=True)
        self._state.chmod(0o700)
        store = Store(self._state / "state.sqlite")
        running.callback(store.close)
        gate = Gate(self._tokens)
        parts = _Parts(store, self._state, self._python, gate, self._environments, self.server_url, self._faults)
        self.http_port = await parts.start_http(self.http_port)
        running.push_async_callback(parts.http.stop)
        self.counts = parts.dispatcher.counts
        grpc = Server([parts.service], status_details_codec=custom_detail_codec)
        await grpc.start(sock=listener)
        running.push_async_callback(grpc.wait_closed)
        running.callback(grpc.close)
        running.push_async_callback(parts.images.stop)
        running.push_async_callback(parts.scheduler.stop)
        await parts.scheduler.start()


class _Parts:
    """The rooms, wired to each other."""

    def __init__(
        self,
        store: Store,
        state: Path,
        python: Path,
        gate: Gate,
        environments: Iterable[str],
        server_url: str,
        faults: Faults | None,
    ) -> None:
        known = Environments(store, environments)
        self._blobs = Blobs(state / "blobs")
        mounts = Mounts(store, self._blobs, state)
        self.images = images = Images(store, mounts, state / "images", python)
        secrets = Secrets(store, known)
        functions = Functions(store, mounts)
        self._apps = apps = Apps(store, known)
        deployments = Deployments(store, apps, functions, mounts)
        calls = Calls(store)
        machine = Machine(python, state, apps, deployments, images, mounts, secrets, gate, server_url)
        self.scheduler = apps.fleet = Scheduler(apps, deployments, calls, machine)
        rooms = (
            known,
            self._blobs,
            mounts,
            images,
            secrets,
            functions,
            apps,
            deployments,
            Dicts(store, known),
            Queues(store, known),
            Invocations(calls, self.scheduler),
            Tasks(self.scheduler, calls, apps, known),
        )
        self.dispatcher = Dispatcher(gate, [_greeting(), *(room.rpcs() for room in rooms)])
        self.service: Dispatcher | FaultyRpc = self.dispatcher
        if faults is not None:
            self.service = FaultyRpc(self.dispatcher, faults, lambda metadata: self._kill(gate.identify(metadata)))
        http = Starlette(routes=[*self._blobs.routes(), *deployments.routes()])
        self.http = AsgiServer(with_faults("modal", http, faults))

    def _kill(self, container_id: str | None) -> None:
        """A container dies on its own; a client's call, or one of a container that is gone, kills nothing."""
        container = self.scheduler.container(container_id) if container_id else None
        if container is not None and container.process is not None:
            container.process.kill()

    async def start_http(self, port: int) -> int:
        """Serves HTTP on the port, or on a free one for 0, and returns it."""
        self.http.port = port
        await self.http.start()
        self._blobs.base_url = self._apps.base_url = self.http.url
        return self.http.port


def _greeting() -> Rpcs:
    async def hello(request: Empty) -> api_pb2.ClientHelloResponse:
        return api_pb2.ClientHelloResponse(image_builder_version=IMAGE_BUILDER_VERSION)

    async def workspace(request: Empty) -> api_pb2.WorkspaceNameLookupResponse:
        return api_pb2.WorkspaceNameLookupResponse(workspace_name="local", username="local")

    return Rpcs(unary={"ClientHello": hello, "WorkspaceNameLookup": workspace})
