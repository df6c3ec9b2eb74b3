import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cloudflare import AsyncCloudflare

from infra.localcloud.asgi import PortInUseError, bind
from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.conftest import MakeCloudflare
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import (
    ACCOUNT,
    PROJECTS,
    SITE_PROJECT,
    TOKEN,
    ZONE,
    ZONE_ID,
    create_project,
    deploy,
    result,
)
from tests.ports import free_ports

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def victim(state: Path) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A stand-in in its own process, killed by SIGKILL at the end: a client of its API, and the sites' URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.infra.localcloud.cloudflare.victim",
        str(state),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        api_url, site_url = (await process.stdout.readline()).decode().split()
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=api_url, headers=headers, trust_env=False, timeout=60) as client:
            yield client, site_url
    finally:
        process.kill()
        await process.wait()


async def test_everything_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    record = {"type": "CNAME", "name": "app", "content": f"{SITE_PROJECT}.pages.dev"}
    async with victim(tmp_path) as (api, _):
        await create_project(api)
        await deploy(api, {"/index.html": "<h1>kept</h1>"})
        domain = result(await api.post(f"{PROJECTS}/{SITE_PROJECT}/domains", json={"name": f"app.{ZONE}"}))
        made = result(await api.post(f"/zones/{ZONE_ID}/dns_records", json=record))
    async with victim(tmp_path) as (api, site_url):
        assert result(await api.get(f"/zones/{ZONE_ID}/dns_records")) == [made]
        kept = result(await api.get(f"{PROJECTS}/{SITE_PROJECT}/domains/app.{ZONE}"))
        assert (kept["id"], kept["status"]) == (domain["id"], "active")
        async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
            assert (await browser.get(site_url)).text == "<h1>kept</h1>"


async def test_the_sdk_works_over_the_real_port(make_cloudflare: MakeCloudflare) -> None:
    server = make_cloudflare()
    await server.start()
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as transport:
            sdk = AsyncCloudflare(api_token=TOKEN, base_url=server.url, max_retries=0, http_client=transport)
            await sdk.r2.buckets.create(account_id=ACCOUNT, name="users")
            assert [zone.name async for zone in sdk.zones.list()] == [ZONE]
    finally:
        await server.stop()
    assert {call.status for call in server.calls} == {200}


@pytest.mark.parametrize("taken", ["port", "site_port"])
async def test_a_taken_port_is_named_and_leaves_nothing_open(tmp_path: Path, buckets: FakeBuckets, taken: str) -> None:
    holder = bind(free_ports(1)[0])
    holder.listen()
    number = int(holder.getsockname()[1])
    ports = {"port": 0, "site_port": 0} | {taken: number}
    server = Cloudflare(
        state=tmp_path,
        buckets=buckets,
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={},
        site_project=SITE_PROJECT,
        port=ports["port"],
        site_port=ports["site_port"],
    )
    with pytest.raises(PortInUseError, match=f"port {number} "):
        await server.start()
    holder.close()
    await server.start()
    assert number in (server.port, server.site.port)
    await server.stop()


async def test_a_failure_inside_answers_an_envelope_without_details(
    cloudflare: Cloudflare, buckets: FakeBuckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("detail that stays inside")

    monkeypatch.setattr(buckets, "buckets", fail)
    transport = httpx.ASGITransport(cloudflare.api, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=cloudflare.url, headers=headers, transport=transport) as client:
        response = await client.get(f"/accounts/{ACCOUNT}/r2/buckets")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (500, 10001)
    assert "detail that stays inside" not in response.text
