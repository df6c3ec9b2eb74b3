"""Node and the packages of app/web: what builds the site and deploys it."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.process import log, run
from infra.sources import ROOT

WEB = ROOT / "app/web"
TOOLS = ROOT / ".venv/bin"
NPM = TOOLS / "npm"
LOCK = "package-lock.json"
WRANGLER = WEB / "node_modules/.bin/wrangler"


def install() -> None:
    """node_modules is as package-lock.json says; two deployments at a time install once."""
    with (WEB / LOCK).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not _is_installed():
            log(f"installing the packages of {WEB.name}")
            run([str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=WEB, env=path())


def _is_installed() -> bool:
    """Whether npm's own record of its last install has what the lock wants, less what other platforms need."""
    record = WEB / f"node_modules/.{LOCK}"
    if not record.is_file():
        return False
    wanted, installed = _packages(WEB / LOCK), _packages(record)
    needed = {name for name, entry in wanted.items() if name and not entry.get("optional")}
    same = all(wanted.get(name, {}).get("integrity") == entry.get("integrity") for name, entry in installed.items())
    return same and needed <= installed.keys()


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    return found


def path() -> dict[str, str]:
    """PATH with Node first; raises DeployError without one."""
    if not shutil.which("node", path=str(TOOLS)):
        raise DeployError("Node is not set up: run `make setup`")
    return {"PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
