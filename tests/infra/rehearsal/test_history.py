"""The record of runs beside the state, and the command line that prints it."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.rehearsal import history
from infra.rehearsal.redact import Redactor

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
FACTS = {"message": "why", "environment": {}, "config": {}, "resourceChanges": {"create": 2}}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_the_newest_comes_first_and_is_numbered(state: Path) -> None:
    history.append(state, "up", ok=True, began=NOON, facts=FACTS)
    history.append(state, "destroy", ok=False, began=NOON, facts=FACTS)
    history.append(state, "refresh", ok=True, began=NOON, facts=FACTS)
    found = history.newest_first(state)
    assert [(one["version"], one["kind"], one["result"]) for one in found] == [
        (3, "refresh", "succeeded"),
        (2, "destroy", "failed"),
        (1, "update", "succeeded"),
    ]
    assert found[0]["startTime"] == "2026-01-02T12:00:00.000Z"
    assert found[0].keys() == {
        *("version", "kind", "startTime", "message", "environment", "config", "result", "endTime"),
        "resourceChanges",
    }
    assert history.file_of(state).stat().st_mode & 0o777 == 0o600


def test_a_stack_that_was_never_up_has_none(state: Path) -> None:
    assert history.newest_first(state) == []


def test_a_line_that_a_kill_cut_off_is_passed_over(state: Path) -> None:
    history.append(state, "up", ok=True, began=NOON, facts=FACTS)
    whole = history.file_of(state).read_text()
    history.file_of(state).write_text(whole + whole[:40])
    assert len(history.newest_first(state)) == 1
    history.append(state, "up", ok=True, began=NOON, facts=FACTS)
    assert [one["version"] for one in history.newest_first(state)] == [2, 1]


def test_settings_are_kept_without_what_is_secret() -> None:
    redactor = Redactor()
    redactor.add("hush-hush")
    values = {"app:key": "hush-hush", "app:copy": "a hush-hush", "app:object": '{"a": [1]}', "app:number": "5"}
    assert history.Settings(values, frozenset({"app:key"})).recorded(redactor) == {
        "app:key": {"secret": True},
        "app:copy": {"value": "a [secret]", "secret": False},
        "app:object": {"value": '{"a": [1]}', "objectValue": {"a": [1]}, "secret": False},
        "app:number": {"value": "5", "secret": False},
    }


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.test"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_programs_repository_is_noted(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "Add the file\n\nand say more")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert history.git_facts(tmp_path) == ("Add the file", {"git.head": head, "git.dirty": "false"})
    (tmp_path / "file").write_text("2")
    assert history.git_facts(tmp_path)[1]["git.dirty"] == "true"


def test_outside_of_a_repository_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert history.git_facts(tmp_path) == ("", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert history.git_facts(tmp_path) == ("", {})


def test_a_record_is_one_line(state: Path) -> None:
    history.append(state, "up", ok=True, began=NOON, facts={**FACTS, "message": "two\nlines"})
    (line,) = history.file_of(state).read_text().splitlines()
    assert json.loads(line)["message"] == "two\nlines"
