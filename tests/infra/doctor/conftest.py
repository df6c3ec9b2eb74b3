"""A stack in order, a `flyctl` that says so, and a Cloudflare and a Modal that know the credentials."""

import copy
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from gpu.sample.writer import write_sample
from infra.config import StackConfig
from infra.deploy.verify import recording
from infra.deploy.verify.report import Report
from infra.doctor import credentials, gpu
from infra.doctor.patient import Patient
from infra.doctor.rounds import examined
from infra.localcloud.asgi import AsgiServer
from infra.localcloud.modal import Modal
from infra.stack_file import config_of
from tests.infra.deploy import flyctl_stub
from tests.infra.deploy.conftest import FACTS
from tests.infra.deploy.flyctl_stub import Flyctl
from tests.infra.deploy.world import HEIGHT, PAGE, VERSION, WIDTH, FileRenderer, Interfering, World, world
from tests.infra.localcloud.modal.harness import ENVIRONMENT, TOKENS, create_secret, deploy_sample

FLY_APP, GPU_APP, ACCOUNT = "orbit-api", "sample", "5d3c1f0e8a7b4c2d9e6f1a0b3c4d5e6f"
REAL_ASK_MODAL = credentials.ask_modal
CLOUDFLARE_TOKEN, FLY_TOKEN = "cloudflare-token-of-the-tests", "fly-token-of-the-tests"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def modal_cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Modal]:
    """With an app deployed."""
    folder = tmp_path_factory.mktemp("modal")
    cloud = Modal(folder / "state", python=Path(sys.executable), tokens=TOKENS, environments=[ENVIRONMENT])
    await cloud.start()
    try:
        await create_secret(cloud.server_url, folder)
        await deploy_sample(cloud.server_url, tag="first")
        yield cloud
    finally:
        await cloud.stop()


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "reel.mp4"
    write_sample(path, 2, width=WIDTH, height=HEIGHT)
    return path


@dataclass
class Ward:
    """What a doctor is called to; `status` is what flyctl shows and may be changed before `examine`.

    `deployment` is what the stack deployed last, at an address of its own; `config` None: only outputs are known.
    """

    stack: World
    flyctl: Flyctl
    status: dict[str, Any]
    values: dict[str, Any]
    said: list[str]
    monkeypatch: pytest.MonkeyPatch
    deployment: Interfering
    config: StackConfig | None

    def ask_real_modal(self) -> None:
        """By the real client, which takes seconds; otherwise what it would say of a stack in order is given."""
        for module in (credentials, gpu):
            self.monkeypatch.setattr(module, "ask_modal", REAL_ASK_MODAL)
        self.monkeypatch.setattr(credentials, "TIMEOUT_S", 240)

    @property
    def machine(self) -> dict[str, Any]:
        found: dict[str, Any] = self.status["Machines"][0]
        return found

    def add_machine(self, **changes: Any) -> None:
        """One that the stack file wants too."""
        self.status["Machines"].append({**copy.deepcopy(self.machine), **changes})
        self.ask_for(machines=len(self.status["Machines"]))

    def ask_for(self, **changes: Any) -> None:
        """In the stack file."""
        assert self.config
        self.config = self.config.model_copy(update=changes)

    async def examine(self, **changes: Any) -> tuple[Report, dict[str, str]]:
        if "Machines" in self.status:
            self.flyctl.replies(("status", {"stdout": json.dumps(self.status)}))
        outputs = self.stack.outputs(**{**self.values, **changes})
        report, remedies = await examined(
            lambda visit: Patient(visit, "staging", account_id=ACCOUNT, config=self.config), outputs, self.said.append
        )
        return report, dict(remedies)


@pytest_asyncio.fixture(loop_scope="session")
async def ward(tmp_path: Path, video: Path, modal_cloud: Modal, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    monkeypatch.setattr(recording, "run", lambda command, **_: str(shutil.copy(video, command[3])))
    tools = tmp_path / "tools"
    tools.mkdir()
    flyctl = flyctl_stub.install(tools)
    for tool in ("pulumi", "node"):
        (tools / tool).symlink_to("/bin/true")
    for name, value in flyctl_stub.environment(tools).items():
        monkeypatch.setenv(name, value)
    [(token_id, token_secret)] = TOKENS.items()
    cloudflare = AsgiServer(_cloudflare())
    await cloudflare.start()
    for name, value in {
        "CLOUDFLARE_API_BASE_URL": cloudflare.url,
        "CLOUDFLARE_API_TOKEN": CLOUDFLARE_TOKEN,
        "FLY_ACCESS_TOKEN": FLY_TOKEN,
        "MODAL_SERVER_URL": modal_cloud.server_url,
        "MODAL_TOKEN_ID": token_id,
        "MODAL_TOKEN_SECRET": token_secret,
        "MODAL_CONFIG_PATH": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    for module in (credentials, gpu):
        monkeypatch.setattr(module, "ask_modal", _modal_in_order)
    status = json.loads(json.loads((FACTS / "flyctl.json").read_text())["status-json-deployed"]["stdout"])
    backend = {"APP_ENV": "development", "MODAL_ENABLED": "true", "MODAL_ENVIRONMENT": ENVIRONMENT}
    status["Machines"][0]["config"]["env"].update(backend)
    monkeypatch.setattr("app.http.service_routes.version", lambda: VERSION)
    size = {"vm_cpu_kind": "shared", "vm_cpus": 1, "vm_memory_mb": 512}
    config = config_of("staging").model_copy(update={"machines": 1, **size})
    async with world(tmp_path / "world", FileRenderer(video.read_bytes())) as stack:
        deployment = Interfering(_deployment(stack.api_url))
        deployment_server = AsgiServer(deployment)
        await deployment_server.start()
        image = status["Machines"][0]["config"]["image"]
        values = {"fly_app": FLY_APP, "gpu_app": GPU_APP, "image": image, "pages_deployment": deployment_server.url}
        yield Ward(stack, flyctl, status, values, [], monkeypatch, deployment, config)
        await deployment_server.stop()
    await cloudflare.stop()


def _deployment(api_url: str) -> Starlette:
    """The page of the stack, configured for its API."""

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def config(_: Request) -> Response:
        return Response(json.dumps({"apiUrl": api_url}), media_type="application/json")

    return Starlette(routes=[Route("/", page), Route("/config.json", config)])


async def _modal_in_order(*words: str) -> list[dict[str, Any]]:
    return [{"description": GPU_APP, "state": "deployed", "name": ENVIRONMENT}]


def _cloudflare() -> Starlette:
    async def verify(request: Request) -> JSONResponse:
        right = request.headers.get("authorization") == f"Bearer {CLOUDFLARE_TOKEN}"
        return JSONResponse({"result": {"status": "active"} if right else None}, 200 if right else 401)

    paths = ("/user/tokens/verify", "/accounts/{account}/tokens/verify")
    return Starlette(routes=[Route(path, verify) for path in paths])
