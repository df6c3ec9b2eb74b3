"""`python -m infra.release`: JSON on standard output, the reason of a failure on the last line of standard error."""

import io
import json
import sys
from pathlib import Path

import pytest

from infra.release import __main__ as command
from tests.infra.release.fakes import FakeEngine, release


@pytest.fixture
def never_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PulumiCli", FakeEngine)


@pytest.mark.usefixtures("never_up")
def test_before_of_a_stack_that_was_never_up_is_an_empty_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["before", "-s", "staging"]) == 0
    assert json.loads(capsys.readouterr().out) == {}


@pytest.mark.usefixtures("never_up")
def test_a_refusal_is_exit_one_and_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "before.json"
    path.write_text(release("a" * 40, dirty=True).to_json())
    assert command.main(["roll-back", str(path), "-s", "staging"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: staging was deployed from aaaaaaaaaaaa with")


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["roll-back", str(tmp_path / "before.json"), "-s", "staging"]) == 1
    assert "before.json cannot be read" in capsys.readouterr().err


def test_a_stack_is_always_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["before"])
    assert ended.value.code == 2
    assert "--stack" in capsys.readouterr().err


def test_the_inputs_of_a_page_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["pages-preview", "12", "-s", "staging"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["branch"] == "pr-12"


def test_a_plan_is_the_output_of_a_step_whatever_bytes_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Previewing\n\xff\n")))
    assert command.main(["plan", "staging"]) == 0
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == f"staging<<{last}"
    assert lines == ["Previewing", "\N{REPLACEMENT CHARACTER}"]
