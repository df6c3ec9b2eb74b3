"""Every call of flyctl that the project makes is one that the real flyctl takes: command, flags and their types."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import flyctl as flyctl_module
from infra.deploy.errors import DeployError
from infra.deploy.fly import STEPS
from infra.localcloud.fly import Fly
from infra.localcloud.fly.flyctl import flags as flags_module
from infra.sources import ROOT
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, TOKEN, Flyctl
from tests.infra.localcloud.fly.flyctl.calls import (
    HELP,
    complaint,
    documents,
    flags_in_code,
    in_code,
    in_text,
    python_files,
)

RECORDER = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["RECORDED_CALLS"], "a") as log:
    log.write(json.dumps(sys.argv[1:]) + chr(10))
os.execv(sys.executable, [sys.executable, "-m", "infra.localcloud.fly.flyctl", *sys.argv[1:]])
"""
HOST = "api.example.com"
BROKEN_CONFIG = f'app = "{APP}"\nprimary_region = "lax"\n[deploy]\nstrategy = "sideways"\n'


class Steps:
    """Runs steps against the stand-in, by a `flyctl` on PATH that notes what it was asked."""

    def __init__(self, fly: Fly, folder: Path) -> None:
        self._fly = fly
        self._log = folder / "calls.jsonl"

    async def __call__(self, step: str, **inputs: Any) -> None:
        text = json.dumps({"app": APP, "fly_url": self._fly.url, **inputs})
        await asyncio.to_thread(STEPS[step], text)

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@pytest.fixture
def steps(fly: Fly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    command = tmp_path / "bin/flyctl"
    command.parent.mkdir()
    command.write_text(RECORDER)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    environment: Mapping[str, str] = {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FLY_ACCESS_TOKEN": TOKEN,
        "RECORDED_CALLS": str(tmp_path / "calls.jsonl"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Steps(fly, tmp_path)


async def run_all(steps: Steps, fly: Fly, flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every step, with every branch that makes a call of its own; returns the names of the steps."""
    from infra.deploy.fly import deployment

    monkeypatch.setattr(deployment, "_version", lambda _: "1")
    config = (flyctl.folder / "fly.toml").read_text()
    health = f"http://127.0.0.1:{fly.fronts[APP]}/"
    release = {"strategy": "rolling", "health_url": health, "secrets_version": "1"}
    await steps("app", org="personal")
    await steps("secrets", secrets={"ALPHA": "1", "BETA": "2"})
    await steps("secrets", secrets={"ALPHA": "1"})
    built = await flyctl.deploy()
    assert built.exit == 0, built.err
    image = str(fly.app(APP).app.releases[-1].image).replace(f":{fly.app(APP).app.releases[-1].image.tag}", "")
    await steps("deploy", config=config, image=image, **release)
    with pytest.raises(DeployError):
        await steps("deploy", config=BROKEN_CONFIG, image=None, **release)
    await steps("scale", machines=2)
    await steps("certificate", hostname=HOST)
    await steps("remove-certificate", hostname=HOST)
    await steps("destroy-app", org="personal")
    return {"app", "secrets", "deploy", "scale", "certificate", "remove-certificate", "destroy-app"}


@MODULE_LOOP
async def test_every_call_of_every_step_is_one_that_the_real_flyctl_takes(
    steps: Steps, fly: Fly, flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = await run_all(steps, fly, flyctl, monkeypatch)
    assert ran == STEPS.keys(), "a new step: run it above"
    calls = steps.calls
    assert [text for words in calls if (text := complaint(words))] == []
    # What the files say is what was run: nothing hides in a branch that no step took.
    files = [path for path in python_files() if "flyctl" in path.read_text()]
    for path in files:
        for words in in_code(path):
            assert any(call[: len(words)] == words[: len(call)] for call in calls), f"{path.name}: {words} never ran"
    given = {word.partition("=")[0] for call in calls for word in call if word.startswith("--")}
    deploying = [path for path in files if ROOT / "infra/deploy" in path.parents and "process" not in path.name]
    written = set.union(*(flags_in_code(path) for path in deploying))
    assert written - given == set()


def test_the_calls_of_the_helper_module_name_the_app_and_ask_for_json() -> None:
    words = list(in_code(Path(flyctl_module.__file__)))
    assert len(words) >= 2


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_call_in_a_document_or_workflow_is_one_that_the_real_flyctl_takes(path: Path) -> None:
    assert [text for words in in_text(path.read_text()) if (text := complaint(words))] == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("deploy . --config fly.toml --strategi rolling", "unknown flag: --strategi"),
        ("scale vm shared-cpu-2x --vm-memory much", 'invalid argument "much" for "--vm-memory" flag'),
        ("status --json=perhaps", 'invalid argument "perhaps" for "-j, --json" flag'),
        ("secrets import --stage --app", "flag needs an argument: --app"),
        ("certs remove api.example.com --force", "unknown flag: --force"),
        ("volumes list", "unknown command"),
    ],
)
def test_a_call_that_the_real_flyctl_refuses_is_found(words: str, reason: str) -> None:
    assert reason in (complaint(words.split()) or "")


def test_calls_are_found_in_documents() -> None:
    command = "FLY_API_TOKEN=x flyctl deploy --image $IMAGE --strategy rolling  # now"
    text = f"Run `flyctl certs check HOST` or\n\n    {command}\n"
    assert list(in_text(text)) == [["certs", "check", "…"], ["deploy", "--image", "…", "--strategy", "rolling"]]


def test_the_stand_in_parses_by_the_same_help() -> None:
    own = Path(flags_module.__file__).with_name("flags.json")
    assert json.loads(own.read_text()) == json.loads(HELP.read_text())
