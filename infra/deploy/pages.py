"""Cloudflare Pages: build a site and deploy it by the real `wrangler`.

Credentials are ambient (CLOUDFLARE_API_TOKEN). The build happens in a folder of its own, so that two deployments and a
dev server never share one.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.process import log, run
from infra.deploy.request import Request, parse
from infra.sources import ROOT

WEB = ROOT / "app/web"
TOOLS = ROOT / ".venv/bin"

# All that wrangler sees of the environment: it changes its ways on variables of CI systems and editors.
INHERITED = frozenset(
    {"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_BASE_URL", "HOME", "LANG", "TMPDIR"}
    | {"NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
)


class SiteRequest(Request):
    """`api_url` None: the folder is deployed as it is; otherwise it is a Vite project that is built against it."""

    account_id: str
    project: str
    branch: str
    folder: str
    api_url: str | None = None
    cloudflare_url: str | None = None
    storage_origins: list[str] = []
    site_digest: str | None = None


def deploy(text: str) -> dict[str, Any]:
    """Answers the deployment's id and address, and its alias where the branch has one."""
    request = parse(SiteRequest, text)
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        work = Path(scratch)
        site = _build(request, work) if request.api_url else ROOT / request.folder
        return _deploy(request, site, work)


STEPS: Mapping[str, Callable[[str], dict[str, Any]]] = {"deploy": deploy}


def _build(request: SiteRequest, work: Path) -> Path:
    _install(WEB)
    site = work / "site"
    log(f"building {request.folder} against {request.api_url}")
    environment = {**_path(), "VITE_API_URL": request.api_url or "", "CI": "1"}
    command = [str(TOOLS / "npm"), "run", "build", "--", "--outDir", str(site), "--emptyOutDir"]
    run(command, cwd=ROOT / request.folder, env=environment)
    if not (site / "index.html").is_file():
        raise DeployError(f"the build of {request.folder} wrote no index.html")
    return site


def _install(folder: Path) -> None:
    """node_modules is as package-lock.json says; npm's own record of an install tells whether it is."""
    record = folder / "node_modules/.package-lock.json"
    if record.is_file() and record.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    log(f"installing the packages of {folder.name}")
    run([str(TOOLS / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, env=_path())


def _deploy(request: SiteRequest, site: Path, work: Path) -> dict[str, Any]:
    _install(WEB)
    report = work / "wrangler.ndjson"
    environment = {
        **_path(),
        "CLOUDFLARE_ACCOUNT_ID": request.account_id,
        "WRANGLER_OUTPUT_FILE_PATH": str(report),
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG_PATH": str(work / "wrangler.log"),
        "CI": "1",
        "NO_COLOR": "1",
    }
    if request.cloudflare_url:
        environment["CLOUDFLARE_API_BASE_URL"] = request.cloudflare_url
    command = [str(WEB / "node_modules/.bin/wrangler"), "pages", "deploy", str(site)]
    options = ["--project-name", request.project, "--branch", request.branch, "--commit-dirty=true"]
    secrets = (os.environ.get("CLOUDFLARE_API_TOKEN", ""),)
    run([*command, *options], cwd=work, env=environment, inherit=INHERITED, secrets=secrets)
    return _deployment(report, request)


def _deployment(report: Path, request: SiteRequest) -> dict[str, Any]:
    lines = [json.loads(line) for line in report.read_text().splitlines()] if report.is_file() else []
    deployed = [line for line in lines if line.get("type", "").startswith("pages-deploy") and line.get("url")]
    if not deployed:
        raise DeployError(f"wrangler ended without naming a deployment of {request.project}")
    last = deployed[-1]
    return {
        "deployment_id": last.get("deployment_id", ""),
        "url": last["url"],
        "alias": last.get("alias") or last["url"],
        "site_digest": "",
    }


def _path() -> dict[str, str]:
    if not shutil.which("node", path=str(TOOLS)):
        raise DeployError("Node is not set up: run `make setup`")
    return {"PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
