"""What the runbooks tell people to type exists, and their links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from infra.release.__main__ import _parser
from infra.sources import ROOT
from tests.workflows.rules import unknown_flags

RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))
MAKEFILE = (ROOT / "Makefile").read_text()


def typed(runbook: Path) -> list[str]:
    """Code spans and indented lines."""
    text = runbook.read_text()
    return [*re.findall(r"`([^`]+)`", text), *re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)]


def arguments(runbook: Path, program: str) -> list[list[str]]:
    commands = [text for text in typed(runbook) if text.startswith(f"{program} ")]
    return [shlex.split(text.removeprefix(f"{program} "), comments=True) for text in commands]


def test_these_are_the_runbooks() -> None:
    assert [path.stem for path in RUNBOOKS] == ["cancel", "rollback", "rotate-a-key"]


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_one_screen(runbook: Path) -> None:
    assert len(runbook.read_text().splitlines()) <= 50


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_pulumi_has_the_flags_it_names(runbook: Path) -> None:
    found = [words for words in arguments(runbook, "pulumi") if len(words) > 1]
    assert found
    assert [complaint for words in found for complaint in unknown_flags(words)] == []
    assert [words for words in found if "-s" not in words] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_its_links_lead_somewhere(runbook: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", runbook.read_text())
    assert [link for link in links if not (runbook.parent / link).exists()] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_make_has_the_targets_it_names(runbook: Path) -> None:
    for words in arguments(runbook, "make"):
        assert re.search(rf"^{words[0]}:", MAKEFILE, re.MULTILINE)


def test_the_roll_back_takes_what_the_runbook_types() -> None:
    [runbook] = [path for path in RUNBOOKS if path.stem == "rollback"]
    found = arguments(runbook, ".venv/bin/python -m infra.release")
    assert {words[0] for words in found} == {"before", "roll-back"}
    for words in found:
        _parser().parse_args(words[: words.index(">")] if ">" in words else words)
