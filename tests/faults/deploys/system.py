"""The product's backend on the Fly and R2 stand-ins: images of it, an app with machines, the loopback flyctl."""

import asyncio
import io
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.localcloud.fly import Fly
from infra.localcloud.fly.flyctl.main import main
from infra.localcloud.r2 import R2
from infra.sources import ROOT

APP = "orbit-api"
TOKEN = "token-of-the-tests"
BUCKET = "reel-ballers-users"
HERE = Path(__file__).parent
DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /srv
COPY . .
CMD ["python", "held_backend.py"]
"""
CONFIG = f"""\
app = "{APP}"
primary_region = "lax"
kill_signal = "SIGTERM"
kill_timeout = "30s"

[env]
APP_ENV = "development"
R2_BUCKET = "{BUCKET}"

[http_service]
internal_port = 8080
auto_stop_machines = "stop"
auto_start_machines = true
min_machines_running = 0

[http_service.concurrency]
type = "requests"
soft_limit = 200
hard_limit = 250

[[http_service.checks]]
method = "GET"
path = "/api/health"
interval = "15s"
timeout = "10s"
grace_period = "60s"
"""


class FlyctlError(AssertionError):
    """A call of flyctl that should have worked; the message is what it printed."""


@dataclass(frozen=True)
class System:
    """`renders` is the folder of the renders under way; `folder` the build context."""

    fly: Fly
    r2: R2
    folder: Path
    renders: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.fly.fronts[APP]}"

    async def flyctl(self, *argv: str, stdin: str = "") -> str:
        """What it printed; raises FlyctlError."""
        env = {"FLY_API_BASE_URL": self.fly.url, "FLY_ACCESS_TOKEN": TOKEN}
        out, err = io.StringIO(), io.StringIO()
        status = await asyncio.to_thread(main, list(argv), env=env, stdin=io.StringIO(stdin), stdout=out, stderr=err)
        if status != 0:
            raise FlyctlError(
                f"flyctl {' '.join(argv)} exited {status}:\n{out.getvalue()}{err.getvalue()}{self.logs()}"
            )
        return out.getvalue()

    async def deploy(self, strategy: str, version: str) -> None:
        """Builds the context as it is and puts it on the machines."""
        config = str(self.folder / "fly.toml")
        options = ("--strategy", strategy, "--env", f"GIT_SHA={version}", "--ha=false", "--yes", "--wait-timeout", "2m")
        await self.flyctl("deploy", str(self.folder), "-a", APP, "-c", config, *options)

    async def scale(self, count: int) -> None:
        await self.flyctl("scale", "count", str(count), "--yes", "-a", APP)

    async def machines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.flyctl("machine", "list", "-a", APP, "--json"))
        return found

    def finish_renders(self) -> None:
        (self.renders / "finish").touch()

    def logs(self) -> str:
        lines = self.fly.app(APP).log.tail(60)
        return "\n".join(f"{line['instance']} {line['message']}" for line in lines)


@asynccontextmanager
async def running_system(state: Path, machines: int = 2) -> AsyncIterator[System]:
    """Two machines of the first version, healthy."""
    r2 = R2(state / "r2")
    r2.control.create_bucket(BUCKET)
    r2.control.grant("the-key", "the-secret", BUCKET, "write")
    fly = Fly(
        state / "fly", fronts={APP: 0}, python=Path(sys.executable), tokens=frozenset({TOKEN}), autostop_interval_s=3600
    )
    await r2.start()
    try:
        await fly.start()
        system = System(fly, r2, _context(state / "context"), state / "renders")
        system.renders.mkdir()
        await _first_deploy(system, machines)
        yield system
    finally:
        await fly.stop()
        await r2.stop()


async def _first_deploy(system: System, machines: int) -> None:
    await system.flyctl("apps", "create", APP, "--org", "personal")
    secrets = {
        "R2_ENDPOINT": system.r2.url,
        "R2_ACCESS_KEY_ID": "the-key",
        "R2_SECRET_ACCESS_KEY": "the-secret",
        "HELD_RENDERS": str(system.renders),
    }
    lines = "".join(f"{name}={value}\n" for name, value in secrets.items())
    await system.flyctl("secrets", "import", "--stage", "-a", APP, stdin=lines)
    await system.deploy("rolling", "v1")
    await system.scale(machines)


def _context(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "web", "*.md", "*.toml")
    for name in ("app", "gpu"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy2(HERE / "held_backend.py", folder)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "fly.toml").write_text(CONFIG)
    return folder
