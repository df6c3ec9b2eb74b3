"""The deploy step of `infra.deploy` where flyctl itself sees no failure: a broken release onto stopped machines."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from infra.deploy import fly as steps
from infra.deploy.errors import DeployError
from infra.deploy.fly import deployment
from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, TOKEN, Flyctl

pytestmark = MODULE_LOOP


@pytest.fixture
def on_path(fly: Fly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback flyctl as a command of its own, as a step starts it."""
    command = tmp_path / "bin/flyctl"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m infra.localcloud.fly.flyctl "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FLY_ACCESS_TOKEN", TOKEN)


async def test_a_broken_release_onto_stopped_machines_fails_and_is_taken_back(
    fly: Fly,
    flyctl: Flyctl,
    deployed: str,
    on_path: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    [machine] = (await flyctl.json("status"))["Machines"]
    assert (await flyctl("machine", "stop", machine["id"], "-a", deployed)).exit == 0
    monkeypatch.setattr(deployment, "HEALTH_TIMEOUT_S", 3)
    config = (flyctl.folder / "fly.toml").read_text().replace("[env]", '[env]\nBROKEN = "health"')
    config = config.replace('grace_period = "60s"', 'grace_period = "0s"')
    request = {
        "app": APP,
        "fly_url": fly.url,
        "config": config,
        "strategy": "rolling",
        "health_url": f"http://127.0.0.1:{fly.fronts[APP]}/health",
        "secrets_version": "1",
        "image": "{registry}/{repository}@{digest}".format(**machine["image_ref"]),
    }
    with pytest.raises(DeployError, match=rf"(?s)does not answer as version .*{APP} is back on"):
        await asyncio.to_thread(steps.STEPS["deploy"], json.dumps(request))
    said, putting_back, _ = capfd.readouterr().err.partition("putting back")
    assert putting_back
    assert "update succeeded" in said, "flyctl itself saw no failure"
    [after] = (await flyctl.json("status"))["Machines"]
    assert "BROKEN" not in after["config"]["env"]
