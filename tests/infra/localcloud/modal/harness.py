"""What the tests share: tokens, the real command line as a subprocess, clients, waiting for a condition."""

import asyncio
import os
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import modal
import psutil
import pytest

HERE = Path(__file__).parent
ENVIRONMENT = "staging"
TOKEN_ID, TOKEN_SECRET = "ak-local", "as-local"
TOKENS = {TOKEN_ID: TOKEN_SECRET}


@dataclass(frozen=True)
class Finished:
    returncode: int
    output: str


async def modal_cli(server_url: str, *arguments: str, secret: str = TOKEN_SECRET, cwd: Path = HERE) -> Finished:
    """Runs the pinned `modal` command as a deploy would, without any configuration of this machine's user."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "MODAL_SERVER_URL": server_url,
        "MODAL_TOKEN_ID": TOKEN_ID,
        "MODAL_TOKEN_SECRET": secret,
        "MODAL_CONFIG_PATH": str(cwd / "no-modal.toml"),
        "COLUMNS": "200",
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("modal")),
        *arguments,
        cwd=cwd,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return Finished(process.returncode or 0, output.decode())


async def create_secret(server_url: str, folder: Path) -> None:
    """The secret that the sample app requires. The client reads the values from a regular file only."""
    values = folder / "values.json"
    values.write_text('{"FROM_SECRET": "s3cret"}')
    created = await modal_cli(
        server_url, "secret", "create", "sample-secret", "--from-json", str(values), "--force", "--env", ENVIRONMENT
    )
    assert created.returncode == 0, created.output


async def deploy_sample(server_url: str, tag: str) -> str:
    """Deploys the sample app to ENVIRONMENT and returns what the command printed."""
    deployed = await modal_cli(
        server_url, "deploy", "-m", "sample.app", "--env", ENVIRONMENT, "--name", "sample", "--tag", tag
    )
    assert deployed.returncode == 0, deployed.output
    return deployed.output


async def connect(server_url: str, secret: str = TOKEN_SECRET) -> modal.Client:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODAL_SERVER_URL", server_url)
        return await modal.Client.from_credentials.aio(TOKEN_ID, secret)


def function(client: modal.Client, name: str) -> Any:
    return modal.Function.from_name("sample", name, environment_name=ENVIRONMENT, client=client)


def stub(client: modal.Client) -> Any:
    """The client's own gRPC calls, for what its public methods and commands would need a process each."""
    with warnings.catch_warnings(action="ignore", category=modal.exception.InternalAPIWarning):
        return client.stub


def is_alive(pid: int) -> bool:
    """A zombie that waits for its parent is dead."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def eventually(condition: Callable[[], Awaitable[bool] | bool], within_s: float = 120.0) -> None:
    """Returns as soon as the condition holds; fails when it does not within the time."""
    deadline = time.monotonic() + within_s
    while True:
        holds = condition()
        if holds if isinstance(holds, bool) else await holds:
            return
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.02)
