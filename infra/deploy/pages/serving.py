"""Does a deployment answer with what was deployed? Pages takes some seconds until it does."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.pages.configuration import CONFIG, HEADERS
from infra.deploy.process import log
from infra.deploy.retry import wait_for

TIMEOUT_S = 60.0
_POLICY = re.compile(r"^\s*Content-Security-Policy:\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def check(site: Path, deployment_url: str, address: str | None, *, timeout_s: float = TIMEOUT_S) -> None:
    """Asks `address` in the deployment's name until it answers with the files of `site`; raises DeployError.

    What cannot be reached from here is not checked, and the log says so.
    """
    if address is None:
        log(f"not checked: {deployment_url} is at another Cloudflare, and site_url does not say where")
        return
    last: str | None = None

    def is_as_deployed() -> bool | None:
        nonlocal last
        try:
            last = _difference(client, site)
        except httpx.TransportError as error:
            log(f"{deployment_url} is not reached yet: {error or type(error).__name__}")
            return None
        return True if last is None else None

    name = {"Host": urlsplit(deployment_url).netloc}
    with httpx.Client(base_url=address, headers=name, timeout=10) as client:
        if wait_for(is_as_deployed, timeout_s=timeout_s, interval_s=1):
            log(f"{deployment_url} answers with what was deployed")
        elif last is None:
            log(f"not checked: {deployment_url} cannot be reached from here")
        else:
            raise DeployError(f"{deployment_url} does not answer with what was deployed: {last}")


def _difference(client: httpx.Client, site: Path) -> str | None:
    """What is answered otherwise than it should be; None when all is as deployed."""
    page = client.get("/")
    # Pages can be told to add its analytics at the end of the body.
    if page.status_code != 200 or not page.text.startswith(_until_end_of_body(site)):
        return f"/ is another page (status {page.status_code})"
    policy = page.headers.get("content-security-policy")
    if policy != _policy(site):
        return f"/ has the content security policy {policy!r}, not the one of {HEADERS}"
    if (site / CONFIG).is_file():
        answer = client.get(f"/{CONFIG}")
        if answer.status_code != 200 or answer.text != (site / CONFIG).read_text():
            return f"/{CONFIG} is {answer.text[:200]!r} (status {answer.status_code})"
    return None


def _until_end_of_body(site: Path) -> str:
    return (site / "index.html").read_text(encoding="utf-8").partition("</body>")[0]


def _policy(site: Path) -> str | None:
    path = site / HEADERS
    found = _POLICY.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found.group(1) if found else None
