"""One site for staging, a pull request and production: the real build and the real wrangler against the stand-in."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.sources import ROOT
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, create_project

pytestmark = pytest.mark.timeout(1800)

SECONDS_FOR_ONE_RUN = 400
STORAGE = f"https://{ACCOUNT}.r2.cloudflarestorage.com"


@dataclass(frozen=True)
class Run:
    status: int
    output: str
    log: str

    @property
    def answer(self) -> dict[str, Any]:
        assert self.status == 0, self.log
        answer: dict[str, Any] = json.loads(self.output)
        return answer


@pytest.fixture
async def cloudflare(tmp_path: Path) -> AsyncIterator[Cloudflare]:
    server = Cloudflare(
        state=tmp_path / "cloudflare",
        buckets=FakeBuckets(),
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={},
        site_project=SITE_PROJECT,
    )
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as api:
        await create_project(api)
    yield server
    await server.stop()


async def deploy(cloudflare: Cloudflare, branch: str, api_url: str, digest: str | None = None) -> Run:
    """`python -m infra.deploy pages deploy`, as a person or a pipeline runs it."""
    inputs = {
        "account_id": ACCOUNT,
        "project": SITE_PROJECT,
        "branch": branch,
        "folder": "app/web",
        "api_url": api_url,
        "storage_origins": [STORAGE],
        "site_digest": digest,
        "site_url": cloudflare.site.url,
        "cloudflare_url": cloudflare.url,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.deploy", "pages", "deploy"),
        cwd=ROOT,
        env={**os.environ, "CLOUDFLARE_API_TOKEN": TOKEN},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, log = await asyncio.wait_for(process.communicate(json.dumps(inputs).encode()), SECONDS_FOR_ONE_RUN)
    except BaseException:
        process.terminate()
        await process.wait()
        raise
    return Run(process.returncode or 0, output.decode(), log.decode())


async def get(cloudflare: Cloudflare, url: str, path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(
        base_url=cloudflare.site.url, headers={"host": urlsplit(url).netloc}, timeout=60
    ) as web:
        return (await web.get(path)).raise_for_status()


async def test_the_same_site_goes_from_staging_and_a_pull_request_to_production(cloudflare: Cloudflare) -> None:
    first = await deploy(cloudflare, "staging", "https://staging.example.org")
    staging = first.answer
    preview = (await deploy(cloudflare, "pr-12", "https://staging.example.org")).answer
    digest = staging["site_digest"]
    production = (await deploy(cloudflare, "main", "https://api.example.org", digest)).answer

    assert preview["site_digest"] == production["site_digest"] == digest
    assert preview["alias"] == f"https://pr-12.{SITE_PROJECT}.pages.dev"
    apis = {"staging": "staging.example.org", "pr-12": "staging.example.org", "main": "api.example.org"}
    for deployed, host in zip((staging, preview, production), apis.values(), strict=True):
        page = await get(cloudflare, deployed["url"])
        assert page.text == (await get(cloudflare, staging["url"])).text
        policy = page.headers["content-security-policy"]
        assert f"connect-src 'self' https://{host} wss://{host} {STORAGE};" in policy
        config = await get(cloudflare, deployed["url"], "/config.json")
        assert (config.json(), config.headers["cache-control"]) == ({"apiUrl": f"https://{host}"}, "no-store")

    calls_before = len(cloudflare.calls)
    refused = await deploy(cloudflare, "main", "https://api.example.org", "0" * 64)
    assert refused.status == 1
    assert digest in refused.log.splitlines()[-1]
    assert len(cloudflare.calls) == calls_before
    assert TOKEN not in first.output + first.log + refused.log
