"""One built site for every stack: the real build gives the same files wherever and for whomever it runs."""

import os
import shutil
from pathlib import Path

import pytest

from infra.deploy.pages import packages
from infra.deploy.pages.digest import site_digest
from infra.deploy.pages.vite import build
from infra.sources import ROOT, WEB, files


def copy_of_the_sources(target: Path) -> Path:
    for path in files(WEB):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (target / "app/web/node_modules").symlink_to(packages.WEB / "node_modules", target_is_directory=True)
    return target / "app/web"


def test_builds_in_different_folders_for_different_stacks_are_the_same_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages.install()
    first = build(packages.WEB, tmp_path / "first")
    elsewhere = copy_of_the_sources(tmp_path / "another checkout")
    (elsewhere / ".env").write_text("VITE_API_URL=https://other.example.org\nVITE_DEV_API=https://other.example.org\n")
    monkeypatch.setenv("VITE_API_URL", "https://api.example.org")
    monkeypatch.setenv("NODE_ENV", "development")
    second = build(elsewhere, tmp_path / "a/folder/further/down")
    assert site_digest(first) == site_digest(second)
    assert not (first / "config.json").exists()


def test_a_change_of_the_sources_changes_the_digest(tmp_path: Path) -> None:
    packages.install()
    sources = copy_of_the_sources(tmp_path / "sources")
    before = site_digest(build(sources, tmp_path / "before"))
    page = sources / "src/ui/Banner.tsx"
    page.write_text(page.read_text().replace('role="alert"', 'role="status"'))
    assert site_digest(build(sources, tmp_path / "after")) != before


def write(folder: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


SITE = {"index.html": "<html>", "assets/a.js": "1", "assets/b.js": "2", "_headers": ""}


def test_names_and_contents_count_and_nothing_else(tmp_path: Path) -> None:
    digest = site_digest(write(tmp_path / "one", SITE))
    same = write(tmp_path / "same", dict(reversed(SITE.items())))
    os.utime(same / "index.html", (0, 0))
    (same / "index.html").chmod(0o600)
    (same / "empty").mkdir()
    assert site_digest(same) == digest


@pytest.mark.parametrize(
    "change",
    [
        {"index.html": "<html >"},
        {"dist/index.html": ""},
        {".well-known/x": ""},
        {"assets/a.js": "2", "assets/b.js": "1"},
        {"assets/a.js": "", "assets/b.js": "12"},
    ],
)
def test_every_difference_changes_it(tmp_path: Path, change: dict[str, str]) -> None:
    assert site_digest(write(tmp_path / "one", SITE)) != site_digest(write(tmp_path / "two", {**SITE, **change}))


def test_another_name_for_the_same_content_changes_it(tmp_path: Path) -> None:
    site = write(tmp_path, SITE)
    before = site_digest(site)
    (site / "assets/a.js").rename(site / "assets/aa.js")
    assert site_digest(site) != before
