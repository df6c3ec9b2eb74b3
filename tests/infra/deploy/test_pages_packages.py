"""The packages that build and deploy a site: installed once, whoever needs them first."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.errors import DeployError
from infra.deploy.pages import packages


class Npm:
    """Stands in for npm: writes the record of an install at its end, after giving a second one the time to begin."""

    def __init__(self, web: Path) -> None:
        self.installs = 0
        self._second = threading.Event()
        self._web = web

    def run(self, command: list[str], **options: Any) -> str:
        assert command[1] == "ci"
        self.installs += 1
        if self.installs > 1:
            self._second.set()
        self._second.wait(0.3)
        wanted = json.loads((self._web / "package-lock.json").read_text())["packages"]
        installed = {name: entry for name, entry in wanted.items() if name and "os" not in entry}
        record = self._web / "node_modules/.package-lock.json"
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps({"packages": installed}))
        return ""


def write_lock(web: Path, **packages: dict[str, Any]) -> None:
    named = {f"node_modules/{name}": entry for name, entry in packages.items()}
    (web / "package-lock.json").write_text(json.dumps({"packages": {"": {"name": "web"}, **named}}))


VITE = {"integrity": "sha512-1"}
ELSEWHERE = {"integrity": "sha512-2", "os": ["another"], "optional": True}


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    write_lock(tmp_path, vite=VITE, elsewhere=ELSEWHERE)
    npm = Npm(tmp_path)
    monkeypatch.setattr(packages, "WEB", tmp_path)
    monkeypatch.setattr(packages, "run", npm.run)
    monkeypatch.setattr(packages, "path", lambda: {"PATH": "tools"})
    return npm


def test_deployments_at_the_same_time_install_once(npm: Npm) -> None:
    with ThreadPoolExecutor(8) as deployments:
        for done in [deployments.submit(packages.install) for _ in range(8)]:
            done.result(timeout=60)
    assert npm.installs == 1


def test_what_is_installed_stays_whenever_the_lock_was_written(npm: Npm, tmp_path: Path) -> None:
    packages.install()
    later = (tmp_path / "node_modules/.package-lock.json").stat().st_mtime + 10
    os.utime(tmp_path / "package-lock.json", (later, later))
    packages.install()
    assert npm.installs == 1


@pytest.mark.parametrize(
    "change",
    [
        {"vite": {"integrity": "sha512-3"}, "elsewhere": ELSEWHERE},
        {"vite": VITE, "react": {"integrity": "sha512-4"}, "elsewhere": ELSEWHERE},
        {"elsewhere": ELSEWHERE},
    ],
    ids=["another version", "one more", "one less"],
)
def test_another_lock_is_installed(npm: Npm, tmp_path: Path, change: dict[str, dict[str, Any]]) -> None:
    packages.install()
    write_lock(tmp_path, **change)
    packages.install()
    assert npm.installs == 2


def test_the_real_record_satisfies_the_real_lock() -> None:
    packages.install()
    assert packages._is_installed()


def test_a_machine_without_node_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "TOOLS", tmp_path)
    with pytest.raises(DeployError, match="make setup"):
        packages.path()
