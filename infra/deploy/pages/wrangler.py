"""Runs wrangler and reads its report."""

import json
import os
from pathlib import Path

from infra.deploy.errors import DeployError
from infra.deploy.pages import packages
from infra.deploy.pages.request import SiteRequest
from infra.deploy.process import run

# All that wrangler sees of the environment: it changes its ways on variables of CI systems and editors.
INHERITED = frozenset(
    {"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_BASE_URL", "HOME", "LANG", "TMPDIR"}
    | {"NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
)


def deploy(request: SiteRequest, site: Path, work: Path) -> dict[str, str]:
    """Uploads `site`; answers the deployment's id, address and alias (its address where the branch has none)."""
    report = work / "wrangler.ndjson"
    environment = {
        **packages.path(),
        "CLOUDFLARE_ACCOUNT_ID": request.account_id,
        "WRANGLER_OUTPUT_FILE_PATH": str(report),
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG_PATH": str(work / "wrangler.log"),
        "CI": "1",
        "NO_COLOR": "1",
    }
    if request.cloudflare_url:
        environment["CLOUDFLARE_API_BASE_URL"] = request.cloudflare_url
    command = [str(packages.WRANGLER), "pages", "deploy", str(site)]
    options = ["--project-name", request.project, "--branch", request.branch, "--commit-dirty=true"]
    secrets = (os.environ.get("CLOUDFLARE_API_TOKEN", ""),)
    run([*command, *options], cwd=work, env=environment, inherit=INHERITED, secrets=secrets)
    return _deployment(report, request)


def _deployment(report: Path, request: SiteRequest) -> dict[str, str]:
    lines = [json.loads(line) for line in report.read_text().splitlines()] if report.is_file() else []
    deployed = [line for line in lines if line.get("type", "").startswith("pages-deploy") and line.get("url")]
    if not deployed:
        raise DeployError(f"wrangler ended without naming a deployment of {request.project}")
    last = deployed[-1]
    return {
        "deployment_id": last.get("deployment_id", ""),
        "url": last["url"],
        "alias": last.get("alias") or last["url"],
    }
