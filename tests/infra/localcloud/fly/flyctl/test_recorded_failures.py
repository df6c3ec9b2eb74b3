"""Silent, broken and interrupted calls, as the recording of the real flyctl shows them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.flyctl.deployer import BROKEN, RECORDS, Deployer, assert_same
from tests.infra.localcloud.fly.recorded import normal
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP
ROOT = Path(__file__).parents[5]
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[dict[str, str]]:
    """The environment of a flyctl whose API answers every call with `serve`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await serve(writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield {"FLY_API_BASE_URL": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}


def refusing(status: int, message: str) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        body = f'{{"code": "internal", "message": "{message}"}}'
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()

    return serve


async def dropping(writer: asyncio.StreamWriter) -> None:
    return


@pytest.mark.parametrize(
    ("name", "serve"),
    [
        ("api-500-status", refusing(500, "boom")),
        ("api-drops-connection-status", dropping),
        ("flaps-502-machine-list", refusing(502, "bad gateway")),
    ],
)
async def test_a_broken_api_is_named_the_same(flyctl: Flyctl, name: str, serve: Serve) -> None:
    async with serving(serve) as environment:
        answer = await flyctl(*RECORDS[name].argv[1:], env=environment)
    assert answer.exit == RECORDS[name].exit
    assert normal(answer.err) == normal(RECORDS[name].stderr)


async def test_a_silent_api_is_waited_for(flyctl: Flyctl) -> None:
    """`api-hangs-status`: it was killed while it waited."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def serve(_: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()

    async with serving(serve) as environment:
        process = await start(flyctl, *RECORDS["api-hangs-status"].argv[1:], env=environment)
        await asyncio.wait_for(asked.wait(), 120)
        assert process.returncode is None
        process.kill()
        out, err = await process.communicate()
        over.set()
    assert (RECORDS["api-hangs-status"].exit, out, err) == (None, b"", b"")


async def start(flyctl: Flyctl, *argv: str, env: dict[str, str] | None = None) -> asyncio.subprocess.Process:
    """In the sample's folder."""
    command = (sys.executable, "-m", "infra.localcloud.fly.flyctl", *argv)
    environment = {**os.environ, **flyctl.env, "PYTHONPATH": str(ROOT), **(env or {})}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=flyctl.folder, env=environment, stdout=pipe, stderr=pipe)


async def read_until(process: asyncio.subprocess.Process, mark: bytes) -> bytes:
    assert process.stdout is not None
    said = b""
    while mark not in said:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        assert line, f"{said!r} ended without {mark!r}"
        said += line
    return said


async def test_an_interrupted_deploy_says_what_it_left(fly: Fly, flyctl: Flyctl, deploy: Deployer) -> None:
    await deploy("deploy-first-rolling")
    record, host = RECORDS["deploy-interrupted"], fly.app(APP)
    process = await start(flyctl, *deploy.argv("deploy-interrupted"), "--env", "BROKEN=health")
    said = await read_until(process, b"Checking that")
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == record.exit
    assert normal((said + out).decode()) == normal(record.stdout)
    assert normal(err.decode()) == normal(record.stderr)
    await until(lambda: host.app.releases[-1].status == "interrupted")
    recorded = RECORDS["releases-json-after-interrupt"].json
    assert (await flyctl.json("releases"))[0]["Status"] == recorded[0]["Status"]


@pytest.mark.parametrize(
    ("name", "number"), [("deploy-terminated", signal.SIGTERM), ("deploy-after-kill", signal.SIGKILL)]
)
async def test_a_deploy_that_ends_while_it_waits_for_another(
    fly: Fly, flyctl: Flyctl, deploy: Deployer, name: str, number: signal.Signals
) -> None:
    await deploy("deploy-first-rolling")
    record = RECORDS[name]
    async with fly.app(APP).lease:
        process = await start(flyctl, *deploy.argv(name))
        said = await read_until(process, b"INFO Using")
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == record.exit
    assert normal((said + out).decode()) == normal(record.stdout)
    assert normal(err.decode()) == normal(record.stderr)


async def test_a_deploy_that_waits_too_long_for_another_names_its_holder(fly: Fly, deploy: Deployer) -> None:
    await deploy("deploy-first-rolling")
    async with fly.app(APP).lease:
        result = await deploy("deploy-lease-held", wait="1")
    record = RECORDS["deploy-lease-held"]
    assert_same(result, record)


async def test_releases_that_did_not_complete_are_listed_as_such(fly: Fly, flyctl: Flyctl, deploy: Deployer) -> None:
    """Complete, complete, failed, interrupted, interrupted: the newest comes first."""
    await deploy("deploy-first-rolling")
    await deploy("deploy-second-rolling")
    await deploy("deploy-checks-never-pass-rolling", BROKEN, wait="1")
    for _ in range(2):
        count = len(fly.app(APP).app.releases)
        process = await start(flyctl, *deploy.argv("deploy-interrupted"), "--env", "BROKEN=health")
        await until(lambda count=count: len(fly.app(APP).app.releases) > count)  # type: ignore[misc]
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        await until(lambda: fly.app(APP).app.releases[-1].status == "interrupted")
    recorded = RECORDS["releases-json-after-terminated"].json
    assert [each["Status"] for each in await flyctl.json("releases")] == [each["Status"] for each in recorded]
