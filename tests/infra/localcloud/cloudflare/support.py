"""Names the tests share, and a direct upload as wrangler does it, in plain HTTP calls."""

import base64
import hashlib
import json
from typing import Any

import httpx

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "local-cloudflare-token"
ZONE = "reelballers.test"
ZONE_ID = "fedcba9876543210fedcba9876543210"
SITE_PROJECT = "reel-ballers-app-local"
PROJECTS = f"/accounts/{ACCOUNT}/pages/projects"
TYPES = {"html": "text/html", "js": "application/javascript", "css": "text/css", "txt": "text/plain"}


def result(response: httpx.Response) -> Any:
    """The result of a call that must have succeeded."""
    body = response.json()
    assert response.status_code == 200, body
    assert body["success"] is True
    assert body["errors"] == []
    return body["result"]


def refusal(response: httpx.Response) -> tuple[int, int]:
    """Status and code of a call that must have been refused with a well-formed envelope."""
    body = response.json()
    assert body["success"] is False
    assert body["result"] is None
    assert body["messages"] == []
    return response.status_code, int(body["errors"][0]["code"])


def asset_key(content: str) -> str:
    """Stands in for wrangler's BLAKE3, which Python has not: any 32 hex digits do."""
    return hashlib.sha256(content.encode()).hexdigest()[:32]


async def create_project(api: httpx.AsyncClient, name: str = SITE_PROJECT) -> Any:
    return result(await api.post(PROJECTS, json={"name": name, "production_branch": "main"}))


async def upload(api: httpx.AsyncClient, files: dict[str, str], project: str = SITE_PROJECT) -> dict[str, str]:
    """Uploads the files and gives their manifest."""
    token = result(await api.get(f"{PROJECTS}/{project}/upload-token"))["jwt"]
    batch = [
        {
            "key": asset_key(content),
            "value": base64.b64encode(content.encode()).decode(),
            "metadata": {"contentType": TYPES.get(path.rpartition(".")[2], "application/octet-stream")},
            "base64": True,
        }
        for path, content in files.items()
    ]
    kept = await api.post("/pages/assets/upload", json=batch, headers={"authorization": f"Bearer {token}"})
    assert result(kept)["successful_key_count"] == len(files)
    return {path: asset_key(content) for path, content in files.items()}


async def deploy(
    api: httpx.AsyncClient,
    files: dict[str, str],
    *,
    project: str = SITE_PROJECT,
    branch: str = "main",
    rules: dict[str, str] | None = None,
) -> Any:
    """Uploads and deploys; `rules` may hold `_headers` and `_redirects`."""
    manifest = await upload(api, files, project)
    parts: dict[str, Any] = {"manifest": (None, json.dumps(manifest)), "branch": (None, branch)}
    parts |= {name: (name, text) for name, text in (rules or {}).items()}
    return result(await api.post(f"{PROJECTS}/{project}/deployments", files=parts))
