"""`.dockerignore` semantics, among them the cases of Docker's manual."""

from pathlib import Path

import pytest

from infra.localcloud.fly.images.ignore import IgnoreRules, context_files


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        (["*.md"], "README.md", True),
        (["*.md"], "docs/README.md", False),
        (["**/*.md"], "README.md", True),
        (["**/*.md"], "a/b/README.md", True),
        (["*/temp*"], "somedir/temporary.txt", True),
        (["*/temp*"], "a/b/temporary.txt", False),
        (["*/temp*"], "somedir/temp/inside.txt", True),
        (["temp?"], "tempa", True),
        (["temp?"], "tempab", False),
        (["[ab].txt"], "a.txt", True),
        (["[^ab].txt"], "a.txt", False),
        (["/app"], "app/main.py", True),
        (["app/"], "app/main.py", True),
        (["./app"], "app/main.py", True),
        (["app"], "other/app/main.py", False),
        (["**/app"], "other/app/main.py", True),
        (["a/**/z"], "a/z", True),
        (["a/**/z"], "a/b/c/z", True),
        (["a/**"], "a/b/c", True),
        (["a/**"], "a", False),
        (["# *.md", "", "  "], "# x.md", False),
        (["*", "!app"], "app/main.py", False),
        (["*", "!app"], "gpu/main.py", True),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["*.md", "README-secret.md", "!README*.md"], "README-secret.md", False),
        (["a.b"], "axb", False),
    ],
)
def test_the_last_matching_rule_wins(rules: list[str], path: str, ignored: bool) -> None:
    assert IgnoreRules(rules).ignores(path) is ignored


def test_a_folder_is_left_unread_unless_a_rule_could_bring_something_below_it_back() -> None:
    rules = IgnoreRules(["*", "!requirements/image.lock", "!app"])
    assert rules.skips_folder(".venv")
    assert rules.skips_folder("requirements2")
    assert not rules.skips_folder("requirements")
    assert not rules.skips_folder("app")
    assert not IgnoreRules(["*", "!**/*.lock"]).skips_folder(".venv")


def test_lists_the_files_of_a_context(tmp_path: Path) -> None:
    for path in ("app/main.py", "app/__pycache__/main.pyc", "requirements/image.lock", "requirements/dev.lock", "x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "app" / "link").symlink_to("main.py")
    rules = IgnoreRules(["*", "!app", "!requirements/image.lock", "**/__pycache__"])
    assert list(context_files(tmp_path, rules)) == ["app/link", "app/main.py", "requirements/image.lock"]


def test_reads_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "ignore").write_text("\ufeff*.md\n", encoding="utf-8")
    assert IgnoreRules.read(tmp_path / "ignore").ignores("README.md")
