"""A roll back applies the program and the stack file of the commit before, with the image before, and verifies it."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.release.errors import ReleaseError
from infra.release.roll_back import roll_back
from tests.infra.release.fakes import IMAGE, FakeEngine, git, release, repository


def yes(tree: Path, outputs: dict[str, Any]) -> bool:
    return True


def test_it_applies_program_and_stack_file_of_that_commit_with_its_image(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    engine = FakeEngine()
    said = roll_back("staging", release(first), engine.at, yes, tmp_path)
    assert engine.seen["program"] == "A"
    assert engine.seen["head"] == first
    assert "reel:fromCommit: A\n" in engine.seen["settings"]
    assert f"reel:image: {IMAGE}\n" in engine.seen["settings"]
    assert said == f"rolled back: staging runs {IMAGE} of commit {first[:12]} again, and it verifies"


@pytest.mark.parametrize("digest", ["d" * 64, ""])
def test_a_stale_digest_in_the_stack_file_gives_way_to_the_site_before(tmp_path: Path, digest: str) -> None:
    """An empty one takes any site."""
    first, _ = repository(tmp_path)
    engine = FakeEngine()
    roll_back("staging", release(first, site_digest=digest), engine.at, yes, tmp_path)
    assert re.findall(r"reel:siteDigest: (.*)", engine.seen["settings"]) == [digest]


def test_it_always_deploys_by_a_value_that_the_stack_file_accepts(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    engine, seen = FakeEngine(), []
    for _ in range(2):
        roll_back("staging", release(first), engine.at, yes, tmp_path)
        seen += re.findall(r"reel:redeploy: (.*)", engine.seen["settings"])
    assert len(set(seen)) == 2
    assert all(re.fullmatch(r"[\x21-\x7e]{1,64}", value) for value in seen)


def test_the_tree_is_clean_so_that_one_can_come_back_to_it_again(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    engine = FakeEngine()
    roll_back("staging", release(first), engine.at, yes, tmp_path)
    assert engine.seen["changes"] == ""


def test_it_verifies_with_the_secret_outputs(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    given: list[dict[str, Any]] = []
    engine = FakeEngine(values={"api_url": "http://127.0.0.1:1"})

    def verify(tree: Path, outputs: dict[str, Any]) -> bool:
        given.append(outputs)
        return True

    roll_back("staging", release(first), engine.at, verify, tmp_path)
    assert given == [{"api_url": "http://127.0.0.1:1", "show_secrets": True}]


def test_a_failed_up_says_that_nothing_is_rolled_back(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    with pytest.raises(
        ReleaseError, match=r"staging is NOT rolled back .* exit status 255; see docs/runbooks/rollback"
    ):
        roll_back("staging", release(first), FakeEngine(fails=True).at, yes, tmp_path)


def test_a_release_that_does_not_verify_is_an_error_that_names_what_runs(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    with pytest.raises(ReleaseError, match=rf"staging runs {re.escape(IMAGE)} .* but it does not verify"):
        roll_back("staging", release(first), FakeEngine().at, lambda tree, outputs: False, tmp_path)


def test_a_stack_without_a_file_in_that_commit_is_named(tmp_path: Path) -> None:
    first, _ = repository(tmp_path)
    with pytest.raises(ReleaseError, match=r"Pulumi\.other\.yaml is not in the commit"):
        roll_back("other", release(first), FakeEngine().at, yes, tmp_path)


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_of_the_tree(tmp_path: Path, fails: bool) -> None:
    first, _ = repository(tmp_path)
    engine = FakeEngine(fails=fails)
    try:
        roll_back("staging", release(first), engine.at, yes, tmp_path)
    except ReleaseError:
        assert fails
    assert not engine.folder.exists()
    assert git(tmp_path, "worktree", "list").count("\n") == 1
    assert (tmp_path / ".venv/bin/installed").exists()
    assert (tmp_path / "app/web/node_modules/vite/installed").exists()
