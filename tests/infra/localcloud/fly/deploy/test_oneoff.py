"""Commands that a deploy runs beside the machines: before any changes, and on the first that runs the new release."""

import httpx
import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl

pytestmark = MODULE_LOOP


def add(flyctl: Flyctl, section: str) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace('strategy = "rolling"\n', f'strategy = "rolling"\n{section}\n'))


def check(flyctl: Flyctl, script: str) -> None:
    """A machine check that runs a line of Python."""
    config = flyctl.folder / "fly.toml"
    config.write_text(
        f"{config.read_text()}\n[[http_service.machine_checks]]\ncommand = ['python', '-c', '''{script}''']\n"
    )


def said(fly: Fly) -> list[str]:
    return [line["message"] for line in fly.app(APP).log.tail(50)]


async def test_the_release_command_runs_once_with_the_new_release(fly: Fly, flyctl: Flyctl, app: str) -> None:
    await flyctl("secrets", "import", "--stage", "-a", app, stdin="OF_THE_APP=secret-value\n")
    script = "import os; print('migrating', os.environ['RELEASE_COMMAND'], os.environ['OF_THE_APP'] == 'secret-value')"
    add(flyctl, f'release_command = "python -c \\"{script}\\""')
    result = await flyctl.deploy()
    assert result.exit == 0, result.err
    assert said(fly).count("migrating 1 True") == 1
    assert "release_command: python -c" in result.out
    assert len(fly.app(APP).machines) == 1


@pytest.mark.parametrize(
    ("command", "options", "reason"),
    [
        ("python -c 'raise SystemExit(3)'", (), "exited with non-zero status of 3"),
        ("sleep 600", ("--release-command-timeout", "200ms"), "did not finish within 0.2s"),
    ],
)
async def test_a_failed_release_command_changes_no_machine(
    fly: Fly, flyctl: Flyctl, deployed: str, command: str, options: tuple[str, ...], reason: str
) -> None:
    add(flyctl, f'release_command = "{command}"')
    result = await flyctl.deploy(*options)
    assert result.exit == 1
    assert "release command failed - aborting deployment" in result.err
    assert reason in result.err
    (runner,) = fly.app(APP).machines.values()
    assert (runner.record.release_version, runner.routable) == (1, True)
    assert [release.status for release in fly.app(APP).app.releases] == ["complete", "failed"]


async def test_a_release_command_can_be_skipped(flyctl: Flyctl, app: str) -> None:
    add(flyctl, "release_command = \"python -c 'raise SystemExit(3)'\"")
    assert (await flyctl.deploy("--skip-release-command")).exit == 0


@pytest.mark.parametrize("strategy", ["rolling", "canary"])
async def test_a_machine_check_reaches_the_machine_that_it_tests(
    fly: Fly, flyctl: Flyctl, deployed: str, strategy: str
) -> None:
    check(
        flyctl,
        "import os, urllib.request as r; ip = os.environ['FLY_TEST_MACHINE_IP']; "
        "print('checked', r.urlopen(f'http://{ip}:{os.environ[\"PORT\"]}/').status)",
    )
    result = await flyctl.deploy("--strategy", strategy)
    assert result.exit == 0, result.err
    assert "checked 200" in said(fly)


async def test_a_failed_machine_check_ends_a_rolling_deploy_after_its_first_machine(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient
) -> None:
    await flyctl("scale", "count", "3", "--yes", "-a", APP)
    check(flyctl, "raise SystemExit(4)")
    result = await flyctl.deploy()
    assert (result.exit, "exited with non-zero status of 4" in result.err) == (1, True)
    assert sorted(runner.record.release_version for runner in fly.app(APP).machines.values()) == [1, 1, 2]
    assert (await front.get("/")).status_code == 200
