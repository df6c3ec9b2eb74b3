"""A running stand-in on free ports with empty state, and clients for it: httpx, and Cloudflare's own SDK."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cloudflare import AsyncCloudflare

from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, ZONE, ZONE_ID

MakeCloudflare = Callable[..., Cloudflare]


@pytest.fixture
def buckets() -> FakeBuckets:
    return FakeBuckets()


@pytest.fixture
def make_cloudflare(tmp_path: Path, buckets: FakeBuckets) -> MakeCloudflare:
    """Makes a stand-in on the test's state folder, not started."""

    def make(site_port: int = 0) -> Cloudflare:
        return Cloudflare(
            state=tmp_path / "cloudflare",
            buckets=buckets,
            account_id=ACCOUNT,
            tokens=frozenset({TOKEN}),
            zones={ZONE: ZONE_ID},
            site_project=SITE_PROJECT,
            site_port=site_port,
        )

    return make


@pytest.fixture
def cloudflare(make_cloudflare: MakeCloudflare) -> Iterator[Cloudflare]:
    """Open for calls in process; `test_server.py` and `test_wrangler.py` go over real ports."""
    opened = make_cloudflare()
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
async def stranger(cloudflare: Cloudflare) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API without a token; paths are relative to the API's base URL."""
    async with httpx.AsyncClient(base_url=cloudflare.url, transport=httpx.ASGITransport(cloudflare.api)) as client:
        yield client


@pytest.fixture
async def api(cloudflare: Cloudflare) -> AsyncIterator[httpx.AsyncClient]:
    """Calls with the account's token; paths are relative to the API's base URL."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(cloudflare.api)
    async with httpx.AsyncClient(base_url=cloudflare.url, headers=headers, transport=transport) as client:
        yield client


@pytest.fixture
async def sdk(cloudflare: Cloudflare, stranger: httpx.AsyncClient) -> AsyncCloudflare:
    return AsyncCloudflare(api_token=TOKEN, base_url=cloudflare.url, max_retries=0, http_client=stranger)


@pytest.fixture
async def web(cloudflare: Cloudflare) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sites that does not follow redirects; it asks for localhost unless told another host."""
    transport = httpx.ASGITransport(cloudflare.sites)
    async with httpx.AsyncClient(base_url="http://localhost", transport=transport) as client:
        yield client
