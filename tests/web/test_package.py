"""The package: exact versions, and no address of a registry in any file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.web.site import WEB

EXACT = re.compile(r"\d+\.\d+\.\d+")


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((WEB / name).read_text())
    return document


def test_every_dependency_is_pinned_to_the_locked_version() -> None:
    package, lock = read("package.json"), read("package-lock.json")
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        assert EXACT.fullmatch(version), f"{name} is not pinned: {version}"
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_the_lock_has_hashes_and_no_addresses() -> None:
    for name, entry in read("package-lock.json")["packages"].items():
        assert "resolved" not in entry, f"{name} names its registry: npm install with the .npmrc of app/web"
        assert name == "" or entry["integrity"].startswith("sha512-"), name


def test_the_lock_serves_every_platform() -> None:
    """`npm ci` refuses a lock without the optional packages of other platforms."""
    packages = read("package-lock.json")["packages"]
    for name, entry in packages.items():
        for optional in entry.get("optionalDependencies", {}):
            assert any(path.endswith(f"node_modules/{optional}") for path in packages), f"{name} needs {optional}"


@pytest.mark.parametrize("name", [".npmrc", "package.json", "package-lock.json"])
def test_no_file_names_a_registry(name: str) -> None:
    text = Path(WEB / name).read_text()
    assert "registry=http" not in text
    assert "registry." not in text
