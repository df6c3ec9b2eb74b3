"""`python -m infra.doctor`: where outputs come from, what is said where, and errors that are one line."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.errors import DeployError
from infra.deploy.verify.outputs import OutputsError
from infra.doctor import __main__ as command
from infra.doctor import local, machines, stacks
from infra.doctor.__main__ import main
from infra.doctor.command import see
from infra.sources import ROOT
from tests.infra.deploy.world import TOKEN
from tests.infra.doctor.conftest import Ward

OUTPUTS = {name: "http://127.0.0.1:9" for name in ("app_url", "api_url", "health_url", "ws_url")}  # noqa: C420


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, stdout: str, status: int = 0) -> Path:
    """A `pulumi` on PATH that answers so; the file has what it was asked."""
    asked = folder / "asked"
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\necho \"$@\" >> {asked}\ncat <<'END'\n{stdout}\nEND\nexit {status}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return asked


def test_outputs_of_a_stack_come_from_pulumi_with_their_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pulumi(tmp_path, monkeypatch, json.dumps({**OUTPUTS, "verify_token": TOKEN}))
    assert stacks.stack_outputs("staging")["verify_token"] == TOKEN
    assert asked.read_text().strip() == "stack output --json --show-secrets -s staging"


def test_without_pulumi_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployError, match="pulumi is not on PATH"):
        stacks.stack_outputs("staging")


@pytest.mark.parametrize(
    ("stdout", "status", "reason"),
    [("{}", 0, "no outputs yet"), ("nonsense", 0, "no JSON"), ("no stack named", 255, "failed")],
)
def test_what_pulumi_cannot_say_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stdout: str, status: int, reason: str
) -> None:
    pulumi(tmp_path, monkeypatch, stdout, status)
    with pytest.raises(DeployError, match=reason):
        stacks.stack_outputs("staging")


def test_the_secrets_of_a_stack_are_not_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(tmp_path, monkeypatch, json.dumps({**OUTPUTS, "verify_token": TOKEN}))
    stacks.stack_outputs("staging")
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err


@pytest.mark.parametrize("stack", ["staging", "organization/reel/staging"])
def test_what_is_wanted_comes_from_the_stack_file(stack: str) -> None:
    found = stacks.settings(stack)
    assert (found.stack, len(found.account_id)) == ("staging", 32)


def test_the_patient_has_its_stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, json.dumps({**OUTPUTS, "verify_token": TOKEN}))
    seen: dict[str, Any] = {}
    monkeypatch.setattr(command, "see", lambda outputs, stack, **facts: seen.update(stack=stack, **facts) or 0)
    assert main(["staging"]) == 0
    config = stacks.settings("staging")
    assert seen == {"stack": "staging", "account_id": config.account_id, "config": config}


def test_errors_are_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for words in (["staging"], ["--outputs", str(tmp_path / "missing.json")]):
        assert main(words) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_stack_without_its_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(tmp_path, monkeypatch, json.dumps({**OUTPUTS, "verify_token": TOKEN}))
    assert main(["no-such-stack"]) == 2
    assert capsys.readouterr().err.startswith("doctor: there is no Pulumi.no-such-stack.yaml")


def test_the_local_stack_has_outputs_only_when_it_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outputs.json"
    monkeypatch.setattr(local, "OUTPUTS", file)
    for content in (None, "{}"):
        if content:
            file.write_text(content)
        with pytest.raises(DeployError, match="run `make up` first"):
            local.local_outputs()
    file.write_text(json.dumps({"app_url": "http://127.0.0.1:9"}))
    with pytest.raises(OutputsError, match="api_url"):
        local.local_outputs()
    file.write_text(json.dumps({**OUTPUTS, "verify_token": "[secret]"}))
    assert local.local_outputs().token is None
    file.write_text(json.dumps({**OUTPUTS, "verify_token": TOKEN}))
    assert local.local_outputs().token == TOKEN


@pytest.mark.asyncio(loop_scope="session")
async def test_the_command_says_what_to_do(ward: Ward, tmp_path: Path) -> None:
    ward.flyctl.replies(("status", {"stdout": json.dumps(ward.status)}))
    ward.stack.renderer.available = False
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**ward.stack.values(), "fly_app": "orbit-api", "gpu_app": ""}))
    words = [sys.executable, "-m", "infra.doctor", "--outputs", str(outputs)]
    done = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == {"ok": False, "failed": ["readiness"], "hints": []}
    said = done.stderr.splitlines()
    assert said[said.index("readiness: what to do") + 1].strip().startswith("flyctl logs -a orbit-api --no-tail")
    assert TOKEN not in done.stderr


@pytest.mark.asyncio(loop_scope="session")
async def test_a_slow_start_alone_is_no_failure(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ward.machine["state"] = "stopped"
    ward.flyctl.replies(("status", {"stdout": json.dumps(ward.status)}))
    monkeypatch.setattr(machines, "COLD_START_LIMIT_S", 0.0)
    outputs = ward.stack.outputs(**ward.values)
    assert await asyncio.to_thread(see, outputs, "staging", config=ward.config) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"ok": True, "failed": [], "hints": ["cold start"]}
    assert "cold start: what to do\n    pulumi config set reel:minMachinesRunning 1 -s staging" in said.err
