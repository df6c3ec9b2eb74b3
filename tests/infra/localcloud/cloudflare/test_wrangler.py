"""The real wrangler against the stand-in. It comes with the web app's packages; its version is theirs."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.conftest import MakeCloudflare
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, create_project

WRANGLER = Path(__file__).parents[4] / "app" / "web" / "node_modules" / ".bin" / "wrangler"
SECONDS_FOR_ONE_RUN = 400

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Run:
    """`events` are the lines of wrangler's own output file."""

    status: int
    output: str
    events: list[dict[str, Any]]

    def event(self, kind: str) -> dict[str, Any]:
        return next(event for event in self.events if event["type"] == kind)


@pytest.fixture
async def running(make_cloudflare: MakeCloudflare) -> AsyncIterator[Cloudflare]:
    server = make_cloudflare()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(running: Cloudflare) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>home</h1>")
    (folder / "assets" / "app.js").write_text("export {}")
    (folder / "_headers").write_text("/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n")
    (folder / "_redirects").write_text("/start /clips 301\n")
    return folder


async def wrangler(running: Cloudflare, folder: Path, *arguments: str) -> Run:
    """Runs it with nothing of the caller's environment or home; kills it with its children when it hangs."""
    if not WRANGLER.exists():
        pytest.fail(f"there is no {WRANGLER}; run `make setup`")
    events = folder / "events.ndjson"
    events.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        WRANGLER,
        *arguments,
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / ".config"),
            "CI": "1",
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "CLOUDFLARE_API_BASE_URL": running.url,
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "WRANGLER_OUTPUT_FILE_PATH": str(events),
            "WRANGLER_SEND_METRICS": "false",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS_FOR_ONE_RUN)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    assert process.returncode is not None
    lines = events.read_text().splitlines() if events.exists() else []
    return Run(process.returncode, output.decode(), [json.loads(line) for line in lines])


async def deploy(running: Cloudflare, site: Path, branch: str) -> Run:
    target = ("--project-name", SITE_PROJECT, "--branch", branch, "--commit-dirty=true")
    return await wrangler(running, site.parent, "pages", "deploy", str(site), *target)


async def test_wrangler_deploys_production_and_a_preview(
    running: Cloudflare, api: httpx.AsyncClient, site: Path
) -> None:
    await create_project(api)
    live = await deploy(running, site, "main")
    assert live.status == 0, live.output
    deployed = live.event("pages-deploy-detailed")
    assert (deployed["environment"], deployed["production_branch"]) == ("production", "main")
    async with httpx.AsyncClient(base_url=running.site.url, trust_env=False, timeout=60) as web:
        assert (await web.get("/clips/7")).text == "<h1>home</h1>"
        assert (await web.get("/start")).headers["location"] == "/clips"
        assert "immutable" in (await web.get("/assets/app.js")).headers["cache-control"]

        (site / "index.html").write_text("<h1>next</h1>")
        preview = await deploy(running, site, "Feature/Next")
        assert preview.status == 0, preview.output
        assert "Uploaded 1 files (1 already uploaded)" in preview.output
        alias = preview.event("pages-deploy-detailed")["alias"]
        assert alias == f"https://feature-next.{SITE_PROJECT}.pages.dev"
        for url in (alias, preview.event("pages-deploy")["url"]):
            assert (await web.get("/", headers={"host": httpx.URL(url).host})).text == "<h1>next</h1>"
        assert (await web.get("/")).text == "<h1>home</h1>"
    assert [call for call in running.calls if call.status != 200] == []


async def test_wrangler_says_when_the_project_is_missing(running: Cloudflare, site: Path) -> None:
    refused = await deploy(running, site, "main")
    assert refused.status == 1
    assert f'The Pages project "{SITE_PROJECT}" does not exist' in refused.output


async def test_wrangler_makes_a_bucket(running: Cloudflare, tmp_path: Path, buckets: FakeBuckets) -> None:
    made = await wrangler(running, tmp_path, "r2", "bucket", "create", "users", "--location", "weur")
    assert made.status == 0, made.output
    assert buckets.bucket("users").location == "weur"
