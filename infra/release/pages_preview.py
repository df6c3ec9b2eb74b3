"""The web app of a pull request: a branch of a stack's Pages project, against that stack's API."""

import os
from collections.abc import Iterator
from typing import Any

import httpx

from infra.config import StackConfig
from infra.release.errors import ReleaseError

API = "https://api.cloudflare.com/client/v4"
PER_PAGE = 25
TIMEOUT_S = 60


def branch_of(number: int) -> str:
    return f"pr-{number}"


def request(config: StackConfig, number: int) -> dict[str, Any]:
    """What `python -m infra.deploy pages deploy` takes on standard input."""
    return {
        "account_id": config.account_id,
        "project": config.pages_project,
        "branch": branch_of(number),
        "folder": "app/web",
        "api_url": config.api_address,
        "storage_origins": [config.r2_address],
        "site_url": config.app_url if config.cloudflare_url else None,
        "cloudflare_url": config.cloudflare_url,
    }


def remove(config: StackConfig, number: int) -> int:
    """Delete every deployment of the pull request; answers how many there were. Raises ReleaseError."""
    token = os.environ.get("CLOUDFLARE_API_TOKEN", "")
    path = f"/accounts/{config.account_id}/pages/projects/{config.pages_project}/deployments"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=config.cloudflare_url or API, headers=headers, timeout=TIMEOUT_S) as cloudflare:
        try:
            return _remove(cloudflare, path, branch_of(number))
        except httpx.HTTPError as error:
            raise ReleaseError(f"Cloudflare does not answer: {error or type(error).__name__}") from None


def _remove(cloudflare: httpx.Client, path: str, branch: str) -> int:
    # All of them first: deleting moves what the next page would begin with.
    found = [each["id"] for each in _deployments(cloudflare, path) if _branch(each) == branch]
    for deployment in found:
        # `force`: the newest one of a branch holds the branch's alias.
        answer = cloudflare.delete(f"{path}/{deployment}", params={"force": "true"})
        if answer.status_code != httpx.codes.NOT_FOUND:
            _checked(answer)
    return len(found)


def _deployments(cloudflare: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        answer = cloudflare.get(path, params={"env": "preview", "page": page, "per_page": PER_PAGE})
        listed = _checked(answer)["result"]
        yield from listed
        if len(listed) < PER_PAGE:
            return
        page += 1


def _branch(deployment: dict[str, Any]) -> str:
    return str(deployment["deployment_trigger"]["metadata"]["branch"])


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise ReleaseError(f"Cloudflare answered {answer.status_code} to {answer.request.method} {answer.url.path}")
    body: dict[str, Any] = answer.json()
    return body
