"""The tree of another commit: what is installed here is lent to it only where the locks are the same."""

import subprocess
from pathlib import Path

import pytest

from infra.release.errors import ReleaseError
from infra.release.worktree import checked_out
from tests.infra.release.fakes import git, repository


def test_it_finds_what_is_installed(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    with checked_out(first, tmp_path) as tree:
        assert (tree / ".venv/bin/installed").read_text() == "yes"
        assert (tree / "app/web/node_modules/vite/installed").read_text() == "yes"
        lent, own = tree / "app/web/package-lock.json", tmp_path / "app/web/package-lock.json"
        assert lent.stat().st_mtime_ns == own.stat().st_mtime_ns


def test_another_lock_is_installed_anew(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "Makefile").write_text("setup:\n\tmkdir -p .venv && touch .venv/anew\n")
    (tmp_path / "requirements/dev.lock").write_text("uv==2\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "C")
    third = git(tmp_path, "rev-parse", "HEAD").strip()
    (tmp_path / "requirements/dev.lock").write_text("uv==3\n")
    with checked_out(third, tmp_path) as tree:
        assert [path.name for path in (tree / ".venv").iterdir()] == ["anew"]


def test_an_installation_that_fails_is_an_error(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    (tmp_path / "requirements/dev.lock").write_text("uv==2\n")
    with pytest.raises(ReleaseError, match="make setup"), checked_out(first, tmp_path):
        pass
    assert git(tmp_path, "worktree", "list").count("\n") == 1


def test_a_commit_that_a_shallow_clone_lacks_is_named_with_what_to_do(tmp_path: Path) -> None:
    first, _ = repository(tmp_path / "whole")
    shallow = tmp_path / "shallow"
    origin = (tmp_path / "whole").as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", origin, str(shallow)], check=True)
    with (
        pytest.raises(ReleaseError, match=rf"{first[:12]} is not in this clone.*fetch-depth: 0"),
        checked_out(first, shallow),
    ):
        pass
