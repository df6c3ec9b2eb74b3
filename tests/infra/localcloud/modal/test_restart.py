"""A stand-in that is killed leaves no process behind and, started again, loses nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import modal

from tests.infra.localcloud.modal.harness import (
    ENVIRONMENT,
    connect,
    create_secret,
    deploy_sample,
    eventually,
    function,
    is_alive,
)

ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Ports:
    grpc: int = 0
    http: int = 0

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.grpc}"


@asynccontextmanager
async def stand_in(state: Path, ports: Ports) -> AsyncIterator[Ports]:
    """Runs until the block ends, then is killed without a chance to clean up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.infra.localcloud.modal.standin",
        str(state),
        str(ports.grpc),
        str(ports.http),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        grpc_port, http_port = (await process.stdout.readline()).split()
        yield Ports(int(grpc_port), int(http_port))
    finally:
        process.kill()
        await process.wait()


async def test_a_killed_stand_in_leaves_no_process_and_finishes_its_calls_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with stand_in(state, Ports()) as ports:
        await create_secret(ports.server_url, tmp_path)
        await deploy_sample(ports.server_url, tag="first")
        client = await connect(ports.server_url)
        finished, interrupted, pids = await _leave_work_behind(client)
        await client.close.aio()
    await eventually(lambda: not any(is_alive(pid) for pid in pids))

    async with stand_in(state, ports):
        client = await connect(ports.server_url)
        progress = _progress(client)
        await progress.put.aio("job-go", True)
        assert await modal.FunctionCall.from_id(interrupted, client=client).get.aio(timeout=120) == "published"
        assert (await progress.get.aio("job"))["pid"] not in pids
        assert await modal.FunctionCall.from_id(finished, client=client).get.aio(timeout=0) == 42
        assert (await function(client, "work").remote.aio("environment"))["FROM_SECRET"] == "s3cret"
        await client.close.aio()


async def _leave_work_behind(client: modal.Client) -> tuple[str, str, list[int]]:
    """The ids of a finished and of a running call, and of processes that the containers started."""
    work = function(client, "work")
    pids = await work.remote.aio("descendants", 300)
    finished = await work.spawn.aio("double", 21)
    assert await finished.get.aio(timeout=120) == 42
    interrupted = await work.spawn.aio("publish", {"key": "job"})
    progress = _progress(client)

    async def is_running() -> bool:
        return bool(await progress.contains.aio("job"))

    await eventually(is_running)
    pids.append((await progress.get.aio("job"))["pid"])
    assert all(is_alive(pid) for pid in pids)
    return finished.object_id, interrupted.object_id, pids


def _progress(client: modal.Client) -> modal.Dict:
    return modal.Dict.from_name("progress", environment_name=ENVIRONMENT, create_if_missing=True, client=client)
