"""A running stand-in, the loopback flyctl in this process, and the sample app."""

import asyncio
import io
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from infra.localcloud.fly import Fly
from infra.localcloud.fly.deploy import rollout
from infra.localcloud.fly.flyctl.main import main
from tests.ports import free_ports

APP = "orbit-api"
TOKEN = "token-of-the-tests"
SAMPLE = Path(__file__).with_name("sample")
MODULE_LOOP = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Result:
    exit: int
    out: str
    err: str


class Flyctl:
    """Runs commands against one stand-in; `folder` holds the sample's files, which a test may change."""

    def __init__(self, fly: Fly, folder: Path) -> None:
        self.fly = fly
        self.folder = folder

    @property
    def env(self) -> dict[str, str]:
        return {"FLY_API_BASE_URL": self.fly.url, "FLY_ACCESS_TOKEN": TOKEN, "FLY_EMIT_RELEASE_JSON": "1"}

    async def __call__(self, *argv: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Result:
        changed = {**self.env, **(env or {})}
        given = {name: value for name, value in changed.items() if value is not None}
        out, err = io.StringIO(), io.StringIO()
        status = await asyncio.to_thread(main, list(argv), env=given, stdin=io.StringIO(stdin), stdout=out, stderr=err)
        return Result(status, out.getvalue(), err.getvalue())

    async def deploy(self, *extra: str, env: Mapping[str, str] | None = None, app: str = APP) -> Result:
        """From the sample's folder, unless `extra` names an image."""
        values = [part for name, value in (env or {}).items() for part in ("--env", f"{name}={value}")]
        config = str(self.folder / "fly.toml")
        return await self("deploy", str(self.folder), "-a", app, "-c", config, "--ha=false", "--yes", *values, *extra)

    async def json(self, *argv: str) -> Any:
        result = await self(*argv, "-a", APP, "--json")
        assert result.exit == 0, result.err
        return json.loads(result.out)


class Gate:
    """Holds requests of its `path` in their machine until it is opened."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.path = f"/held?until={file}"

    def open(self) -> None:
        self._file.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.open()


def start_fly(state: Path, **options: Any) -> Fly:
    defaults: dict[str, Any] = {
        "fronts": {APP: free_ports(1)[0]},
        "python": Path(sys.executable),
        "tokens": frozenset({TOKEN}),
        "certificate_delay_s": 0.0,
        "hold_s": 60.0,
    }
    return Fly(state, **{**defaults, **options})


@pytest.fixture(autouse=True)
def short_smoke_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What crashes later is caught by the wait for its checks."""
    monkeypatch.setattr(rollout, "SMOKE_S", 0.1)


def copy_sample(folder: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fly(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fly]:
    """One for all tests of a file, which must run in the module's loop: `pytestmark = MODULE_LOOP`."""
    fly = start_fly(tmp_path_factory.mktemp("fly"))
    await fly.start()
    yield fly
    await fly.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def flyctl(fly: Fly, tmp_path: Path) -> AsyncIterator[Flyctl]:
    """What a test made is destroyed after it."""
    yield Flyctl(fly, copy_sample(tmp_path / "sample"))
    for host in fly.apps():
        await fly.destroy(host.name)


@pytest_asyncio.fixture(loop_scope="module")
async def app(flyctl: Flyctl) -> str:
    """The app exists; nothing is deployed."""
    assert (await flyctl("apps", "create", APP, "--org", "personal")).exit == 0
    return APP


@pytest_asyncio.fixture(loop_scope="module")
async def deployed(flyctl: Flyctl, app: str) -> str:
    """One healthy machine."""
    result = await flyctl.deploy()
    assert result.exit == 0, result.err
    return app


@pytest_asyncio.fixture(loop_scope="module")
async def front(fly: Fly) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{fly.fronts[APP]}", timeout=120.0) as client:
        yield client
