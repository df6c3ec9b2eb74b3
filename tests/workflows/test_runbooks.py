"""What the runbooks tell people to type exists, their links lead somewhere, and their figures are the code's."""

import ast
import json
import re
import shlex
from pathlib import Path

import pytest

from app.library.__main__ import _parser as library_commands
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
    assert [path.stem for path in RUNBOOKS] == ["cancel", "libraries", "rollback", "rotate-a-key"]


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_one_screen(runbook: Path) -> None:
    assert len(runbook.read_text().splitlines()) <= 50


ABOUT_STACKS = [path for path in RUNBOOKS if path.stem != "libraries"]


@pytest.mark.parametrize("runbook", ABOUT_STACKS, ids=lambda path: path.stem)
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


def test_the_library_takes_what_the_runbook_types() -> None:
    [runbook] = [path for path in RUNBOOKS if path.stem == "libraries"]
    parser = library_commands()
    spans = [span for span in typed(runbook) if span.split()[0] in ("log", "show", "verify", "restore", "erase")]
    assert len(spans) >= 6
    for span in spans:
        words = shlex.split(span.replace(" N", " 1"))
        parser.parse_args([*words, *(() if "--user" in words else ("--user", "U"))])


def test_the_roll_back_takes_what_the_runbook_types() -> None:
    [runbook] = [path for path in RUNBOOKS if path.stem == "rollback"]
    found = arguments(runbook, ".venv/bin/python -m infra.release")
    assert {words[0] for words in found} == {"before", "roll-back"}
    for words in found:
        _parser().parse_args(words[: words.index(">")] if ">" in words else words)


def lifetimes_of_addresses() -> dict[str, int]:
    """By name, in s: every constant of the backend that some call signs an address with."""
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "app").rglob("*.py")) if ".venv" not in path.parts]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    used = {
        node.value.id
        for node in nodes
        if isinstance(node, ast.keyword) and node.arg == "lifetime_s" and isinstance(node.value, ast.Name)
    }
    constants = {
        target.id: node.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in {name for name in used if name.isupper()}
    }
    return {name: eval(compile(ast.Expression(value), name, "eval")) for name, value in constants.items()}


def test_an_old_key_stays_as_long_as_the_addresses_that_it_signed() -> None:
    lifetimes = lifetimes_of_addresses()
    assert {"_URL_LIFETIME_S", "PART_URL_LIFETIME_S"} <= lifetimes.keys()
    hours = re.findall(r"(\w+) hours", (ROOT / "docs/runbooks/rotate-a-key.md").read_text())
    assert hours
    assert set(hours) == {str(max(lifetimes.values()) // 3600)}


def test_a_program_of_the_virtual_environment_is_typed_with_its_path() -> None:
    for runbook in RUNBOOKS:
        for text in typed(runbook):
            program = text.split()[0] if text.split() else ""
            assert program not in {"modal", "python", "pytest"}, f"{runbook.stem}: {text}"
            assert not program.startswith(".venv/") or (ROOT / program).exists(), f"{runbook.stem}: {text}"


def test_flyctl_has_the_flags_that_the_runbooks_name() -> None:
    known = json.loads((ROOT / "tests/infra/deploy/facts/flyctl-flags.json").read_text())["commands"]
    found = [words for runbook in RUNBOOKS for words in arguments(runbook, "flyctl") if words[0] in known]
    assert ["releases", "--image", "-a", "APP"] in found
    for words in found:
        assert {word for word in words if word.startswith("-")} <= set(known[words[0]]), words


def test_the_passphrase_is_changed_in_every_stack_that_the_pipelines_use() -> None:
    [runbook] = [path for path in RUNBOOKS if path.stem == "rotate-a-key"]
    changed = [words for words in arguments(runbook, "pulumi") if words[:2] == ["stack", "change-secrets-provider"]]
    assert [words[-1] for words in changed] == ["staging", "production"]
