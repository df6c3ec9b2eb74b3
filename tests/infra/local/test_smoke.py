"""`python -m infra.local smoke|doctor [STACK]`: whose outputs they take, and what they say without any."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.verify.outputs import Outputs
from infra.doctor import local
from infra.local import __main__ as command

GOOD = {name: "http://127.0.0.1:9" for name in ("app_url", "api_url", "health_url", "ws_url")}  # noqa: C420


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["infra.local", *words])
    return command.main()


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[Outputs]:
    """The outputs that verification was called with."""
    seen: list[Outputs] = []

    def verify(outputs: Outputs) -> int:
        seen.append(outputs)
        return 0

    monkeypatch.setattr(command, "verify", verify)
    return seen


def test_the_local_stack_is_taken_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verified: list[Outputs]
) -> None:
    monkeypatch.setattr(local, "OUTPUTS", tmp_path / "outputs.json")
    assert run(monkeypatch, "smoke") == 1
    (tmp_path / "outputs.json").write_text(json.dumps(GOOD))
    assert run(monkeypatch, "smoke") == 0
    assert run(monkeypatch, "smoke", "local") == 0
    assert [outputs.api_url for outputs in verified] == ["http://127.0.0.1:9"] * 2


def test_another_stack_is_asked_of_pulumi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verified: list[Outputs]
) -> None:
    script = tmp_path / "pulumi"
    script.write_text(f"#!/bin/sh\ntest \"$6\" = staging && echo '{json.dumps({**GOOD, 'verify_token': 'x' * 40})}'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert run(monkeypatch, "smoke", "staging") == 0
    assert [outputs.token for outputs in verified] == ["x" * 40]


@pytest.mark.parametrize(("verb", "status"), [("smoke", 1), ("doctor", 2)])
def test_without_pulumi_there_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str, status: int
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(monkeypatch, verb, "staging") == status
    assert "pulumi is not on PATH" in capsys.readouterr().err


def test_the_doctor_of_the_local_stack_uses_the_credentials_of_the_stand_ins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def see(outputs: Outputs, stack: str, **facts: Any) -> int:
        seen.update(stack=stack, **facts, environment=dict(os.environ))
        return 0

    monkeypatch.setattr(local, "OUTPUTS", tmp_path / "outputs.json")
    monkeypatch.setattr(local, "see", see)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "outputs.json").write_text(json.dumps(GOOD))
    assert run(monkeypatch, "doctor") == 0
    assert (seen["stack"], seen["is_local"]) == ("local", True)
    assert seen["environment"]["FLY_ACCESS_TOKEN"] == "local-fly-token"
    assert seen["environment"]["FLY_API_BASE_URL"].startswith("http://127.0.0.1:")
    assert seen["environment"]["MODAL_SERVER_URL"].startswith("http://127.0.0.1:")
