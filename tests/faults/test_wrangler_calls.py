"""The wrangler of the enumerated runs makes the real one's calls: for a first deployment and for an unchanged one."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.faults import Faults
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, ZONE, ZONE_ID, create_project
from tests.infra.localcloud.cloudflare.test_wrangler import WRANGLER

ID = re.compile(r"[0-9a-f-]{36}")


@pytest.fixture
async def cloudflare(tmp_path: Path) -> AsyncIterator[tuple[Cloudflare, Faults]]:
    faults = Faults()
    server = Cloudflare(
        state=tmp_path / "cloudflare",
        buckets=FakeBuckets(),
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={ZONE: ZONE_ID},
        site_project=SITE_PROJECT,
        faults=faults,
    )
    await server.start()
    yield server, faults
    await server.stop()


async def calls(found: tuple[Cloudflare, Faults], command: list[str], folder: Path) -> list[list[str]]:
    """Of two deployments of the same site."""
    cloudflare, faults = found
    options = ["--project-name", SITE_PROJECT, "--branch", "main", "--commit-dirty=true"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "CI": "1",
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
        "CLOUDFLARE_API_BASE_URL": cloudflare.url,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "WRANGLER_OUTPUT_FILE_PATH": str(folder / "events"),
        "WRANGLER_SEND_METRICS": "false",
    }
    made = []
    for _ in range(2):
        before = len(faults.calls)
        process = await asyncio.create_subprocess_exec(
            *[*command, "pages", "deploy", str(folder / "site"), *options], cwd=folder, env=environment
        )
        assert await asyncio.wait_for(process.wait(), 120) == 0
        made.append([ID.sub("*", call.call) for call in faults.calls[before:]])
    return made


async def test_the_calls_are_those_of_the_real_one(cloudflare: tuple[Cloudflare, Faults], tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=cloudflare[0].url, headers={"authorization": f"Bearer {TOKEN}"}) as api:
        await create_project(api)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("<h1>one</h1>")
    (tmp_path / "site/_headers").write_text("/*\n  X-Robots-Tag: noindex\n")
    real = await calls(cloudflare, [str(WRANGLER)], tmp_path)
    replaced = await calls(cloudflare, [sys.executable, "-m", "tests.faults.stage.wrangler"], tmp_path)
    assert any(call.endswith("/assets/upload") for call in real[0])
    assert real[1] == replaced[1]
    (tmp_path / "site/index.html").write_text("<h1>two</h1>")
    assert (await calls(cloudflare, [sys.executable, "-m", "tests.faults.stage.wrangler"], tmp_path))[0] == real[0]
