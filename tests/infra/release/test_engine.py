"""The calls of `pulumi` that releases make, and what they make of its answers."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deploy.retry import wait_for
from infra.release.engine import PulumiCli, Update
from infra.release.errors import ReleaseError
from infra.sources import ROOT

STUB = f"""#!{sys.executable}
import json, os, pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + chr(10))
sys.stdout.write((folder / "answer").read_text())
sys.exit(int((folder / "status").read_text()))
"""


class Stub:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = folder / "pulumi"
        command.write_text(STUB)
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        self.answers("")

    def answers(self, text: str, status: int = 0) -> None:
        (self.folder / "answer").write_text(text)
        (self.folder / "status").write_text(str(status))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Stub(tmp_path)


def test_history_reads_commit_and_cleanliness(pulumi: Stub) -> None:
    environment = {"git.head": "a" * 40, "git.dirty": "true", "exec.kind": "cli"}
    newest = {"kind": "update", "result": "in-progress", "environment": {}}
    pulumi.answers(json.dumps([newest, {"kind": "update", "result": "succeeded", "environment": environment}]))
    assert PulumiCli().history("staging") == [
        Update("update", "in-progress", "", False),
        Update("update", "succeeded", "a" * 40, True),
    ]
    [call] = pulumi.calls
    assert call == ["stack", "history", "--stack", "staging", "--json", "--page-size", "50", "--non-interactive"]


def test_secrets_are_shown_only_where_they_are_asked_for(pulumi: Stub) -> None:
    pulumi.answers("{}")
    PulumiCli().outputs("staging")
    PulumiCli().outputs("staging", show_secrets=True)
    assert ["--show-secrets" in call for call in pulumi.calls] == [False, True]


def test_up_takes_the_given_stack_file(pulumi: Stub, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pulumi.answers("what it did")
    PulumiCli().up("staging", tmp_path / "S.yaml")
    settings = ["--config-file", str(tmp_path / "S.yaml")]
    assert pulumi.calls == [["up", "--yes", "--skip-preview", "--stack", "staging", *settings, "--non-interactive"]]
    assert "what it did" in capfd.readouterr().err


def test_a_failure_names_verb_and_stack(pulumi: Stub, tmp_path: Path) -> None:
    pulumi.answers("", status=255)
    with pytest.raises(ReleaseError, match="pulumi stack history of staging ended with exit status 255"):
        PulumiCli().history("staging")
    with pytest.raises(ReleaseError, match="pulumi up of staging ended with exit status 255"):
        PulumiCli().up("staging", tmp_path / "S.yaml")


def test_an_answer_that_is_no_json_is_an_error(pulumi: Stub) -> None:
    pulumi.answers("Stack has never been updated")
    with pytest.raises(ReleaseError, match="no JSON"):
        PulumiCli().history("staging")


def test_a_missing_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match="pulumi is not installed"):
        PulumiCli().history("staging")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_pulumi_and_its_end_is_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    command = tmp_path / "pulumi"
    # Like the engine: an interrupt ends it in order, and only then is its lock free.
    command.write_text(
        f"#!/bin/sh\ntrap 'echo gone > {tmp_path}/unlocked; exit 1' INT\ntouch {tmp_path}/locked\n"
        "while true; do sleep 0.1; done\n"
    )
    command.chmod(0o755)
    code = "from pathlib import Path; from infra.release.engine import PulumiCli; PulumiCli().up('s', Path('x'))"
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    assert wait_for(lambda: (tmp_path / "locked").exists() or None, timeout_s=120)
    assert wait_for(lambda: _catches(process.pid, signal.SIGTERM) or None, timeout_s=120)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert (tmp_path / "unlocked").exists()
    assert b"ended with exit status 1" in said


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for this signal by now (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = re.findall(r"^SigCgt:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return bool(int(mask, 16) >> (number - 1) & 1)
