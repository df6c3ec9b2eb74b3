"""`python -m infra.deploy`: one JSON line on standard output, the reason of a failure as the last line of the log."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.__main__ import STEPS
from infra.sources import ROOT
from tests.infra.deploy.flyctl_stub import Flyctl


def deploy(*words: str, stdin: str = "{}") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.deploy", *words]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)


def test_a_step_prints_one_json_line(flyctl: Flyctl, facts: dict[str, Any]) -> None:
    flyctl.replies(("status", facts["status-json-deployed"]))
    done = deploy("fly", "app", stdin='{"app": "orbit-api", "org": "personal"}')
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == {"app": "orbit-api"}


def test_a_failure_ends_with_its_reason() -> None:
    done = deploy("fly", "app", stdin="not json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().splitlines()[-1] == (
        "fly app: standard input is not JSON; it must hold the inputs of the step"
    )


@pytest.mark.parametrize("words", [(), ("fly",), ("fly", "nothing"), ("heroku", "deploy")])
def test_wrong_words_show_the_usage(words: tuple[str, ...]) -> None:
    done = deploy(*words)
    assert done.returncode == 2
    assert "fly destroy-app" in done.stderr


@pytest.mark.parametrize("tool", ["fly", "pages", "modal"])
def test_every_step_of_the_usage_exists(tool: str) -> None:
    module = __import__(f"infra.deploy.{tool}", fromlist=["STEPS"])
    assert set(module.STEPS) == set(STEPS[tool])


def test_every_step_of_the_program_exists() -> None:
    program = "".join(path.read_text() for path in Path(ROOT, "infra/components").glob("*.py"))
    used = [f'"{tool} {step}"' for tool, steps in STEPS.items() for step in steps]
    assert [words for words in used if words not in program] == []
