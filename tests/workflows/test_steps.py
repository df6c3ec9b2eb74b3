"""All scripts of the workflows are run by a test, and none that runs here can hold a real secret."""

from pathlib import Path

import pytest

from infra.sources import ROOT
from tests.workflows.answers import ok
from tests.workflows.runner import Runner
from tests.workflows.workflow import has_secrets, read

# These run by themselves in every pull request or every week; here only that they exist.
LONG = {"make setup", "make check", "make test", "make coverage"}


@pytest.mark.parametrize("command", sorted({*LONG, "make doctor STACK=staging"}))
def test_what_it_asks_of_make_exists(command: str, runner: Runner) -> None:
    ok(runner.run_step({"run": command.replace("make ", "make -n ")})[0])


def test_every_script_is_run_by_a_test_here() -> None:
    """By name: a step that is added must be run there, or be one of the long commands."""
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*_steps.py"))
    for name in ("ci", "preview", "deploy", "drift"):
        for job, step in read(name).steps():
            if step.get("run", "").strip() in {"", *LONG}:
                continue
            names = [step.get("id", "-"), step.get("name", "-")]
            assert any(f'"{each}")' in source for each in names), f"{name}.{job}: {names}"


def test_no_script_that_a_test_runs_can_have_a_real_secret() -> None:
    """The runner gives expressions without a value an empty text."""
    for name in ("preview", "deploy", "drift"):
        for _, step in read(name).steps():
            for value in step.get("env", {}).values():
                if has_secrets(value):
                    assert Runner(ROOT, Path(), [])._expanded(value) == ""
