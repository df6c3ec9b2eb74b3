"""Cloudflare Pages: deploy a site by the real `wrangler`. Credentials are ambient (CLOUDFLARE_API_TOKEN).

The web app is built from its sources, the same for every stack; which API it belongs to is written beside the build.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.pages import packages, wrangler
from infra.deploy.pages.configuration import configure
from infra.deploy.pages.digest import site_digest
from infra.deploy.pages.request import SiteRequest, site_request
from infra.deploy.pages.serving import check
from infra.deploy.pages.vite import build
from infra.sources import ROOT

__all__ = ["STEPS", "SiteRequest", "deploy"]


def deploy(text: str) -> dict[str, Any]:
    """Answers the deployment's id and address, its alias where the branch has one, and the digest of the built site."""
    request = site_request(text)
    packages.install()
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        work = Path(scratch)
        site = _site(request, work / "site")
        digest = site_digest(site)
        _refuse_another(request, digest)
        if request.api_url:
            configure(site, request.api_url, request.storage_origins)
        deployment = wrangler.deploy(request, site, work)
        check(site, deployment["url"], request.address_of(deployment["url"]))
        return {**deployment, "site_digest": digest}


STEPS: Mapping[str, Callable[[str], dict[str, Any]]] = {"deploy": deploy}


def _site(request: SiteRequest, target: Path) -> Path:
    project = ROOT / request.folder
    site = build(project, target) if request.api_url else project
    if not (site / "index.html").is_file():
        raise DeployError(f"{request.folder} gives no index.html, so there is nothing to deploy")
    return site


def _refuse_another(request: SiteRequest, digest: str) -> None:
    if request.site_digest not in (None, digest):
        raise DeployError(
            f"{request.folder} gives a site with the digest {digest}, and site_digest asks for {request.site_digest}: "
            "deploy from the commit that gave that one, or ask for this one"
        )
