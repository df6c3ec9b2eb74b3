"""flyctl as a process of its own: quick, on loopback only, interruptible."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP

ROOT = Path(__file__).parents[5]


async def start(flyctl: Flyctl, *argv: str, env: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "infra.localcloud.fly.flyctl", *argv)
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, **flyctl.env, **(env or {})}
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe)


async def test_it_prints_and_exits_like_a_command(flyctl: Flyctl, app: str) -> None:
    listed = await start(flyctl, "secrets", "list", "-a", app, "--json")
    assert await listed.communicate() == (b"[]\n\n", b"")
    assert listed.returncode == 0
    missing = await start(flyctl, "status", "-a", "missing", "--json")
    _, err = await missing.communicate()
    assert (missing.returncode, b'Could not find App "missing"' in err) == (1, True)


async def test_it_imports_nothing_heavy(flyctl: Flyctl) -> None:
    script = (
        "import sys\nfrom infra.localcloud.fly.flyctl.commands import deploy, secrets, certs\n"
        "from infra.localcloud.fly.flyctl import main\n"
        "print([name for name in ('pydantic', 'aiohttp', 'httpx', 'asyncio', 'starlette') if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"[]\n"


@pytest.mark.parametrize("url", ["https://api.fly.io", "http://10.0.0.1:9404", "http://127.0.0.1.example.com", ""])
async def test_any_address_but_loopback_is_refused(flyctl: Flyctl, app: str, url: str) -> None:
    result = await flyctl("status", "-a", app, "--json", env={"FLY_API_BASE_URL": url})
    assert (result.exit, "refuses FLY_API_BASE_URL" in result.err) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_deploy_exits_127_and_leaves_an_interrupted_release(
    fly: Fly, flyctl: Flyctl, deployed: str, number: signal.Signals
) -> None:
    config = str(flyctl.folder / "fly.toml")
    argv = ("deploy", str(flyctl.folder), "-c", config, "--ha=false", "--env", "BROKEN=health")
    process = await start(flyctl, *argv)
    host = fly.app(APP)
    (runner,) = host.machines.values()
    await until(lambda: host.app.version == 2 and runner.running and runner.record.release_version == 2)
    process.send_signal(number)
    await process.communicate()
    assert process.returncode == 127
    await until(lambda: host.app.releases[-1].status == "interrupted")
    assert (await flyctl.deploy()).exit == 0
    assert runner.routable


async def test_a_killed_flyctl_interrupts_its_deploy_too(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    config = str(flyctl.folder / "fly.toml")
    process = await start(flyctl, "deploy", str(flyctl.folder), "-c", config, "--env", "BROKEN=health")
    host = fly.app(APP)
    await until(lambda: host.app.version == 2)
    process.kill()
    await process.communicate()
    await until(lambda: host.app.releases[-1].status == "interrupted")


async def test_a_second_deploy_waits_for_the_first(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    host = fly.app(APP)
    async with host.lease:
        result = await flyctl.deploy("--wait-timeout", "0.2s")
    assert result.exit == 1
    assert "failed_precondition: lease currently held by" in result.err
    first, second = await asyncio.gather(flyctl.deploy(), flyctl.deploy())
    assert (first.exit, second.exit) == (0, 0)
    assert [release.status for release in host.app.releases] == ["complete"] * 3


async def test_machines_are_destroyed_only_when_stopped_or_forced(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    (machine,) = fly.app(APP).machines
    refused = await flyctl("machine", "destroy", machine, "-a", APP)
    assert (refused.exit, "either stop first or use --force" in refused.err) == (1, True)
    forced = await flyctl("machine", "destroy", machine, "--force", "-a", APP)
    assert (forced.exit, forced.out.splitlines()[-1]) == (0, f"{machine} has been destroyed")
    assert not fly.app(APP).machines
    unknown = await flyctl("machine", "start", machine, "-a", APP)
    assert (unknown.exit, f"machine {machine} not found" in unknown.err) == (1, True)


async def test_logs_show_what_a_machine_printed(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    (machine,) = fly.app(APP).machines
    result = await flyctl("logs", "--no-tail", "-a", APP)
    assert f" app[{machine}] lax [info]starting as {machine}" in result.out
    tailed = await flyctl("logs", "-a", APP)
    assert (tailed.exit, "--no-tail" in tailed.err) == (1, True)
