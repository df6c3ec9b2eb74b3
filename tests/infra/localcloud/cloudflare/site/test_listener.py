import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.localcloud.asgi import PortInUseError, bind
from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.conftest import MakeCloudflare
from tests.ports import free_ports


@pytest.fixture
async def running(make_cloudflare: MakeCloudflare) -> AsyncIterator[Cloudflare]:
    server = make_cloudflare(site_port=free_ports(1)[0])
    await server.start()
    yield server
    await server.stop()


async def test_a_paused_site_lends_its_port_and_takes_it_back(running: Cloudflare) -> None:
    port = running.site.port
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        assert (await client.get(running.site.url)).status_code == 404
        await running.site.pause()
        with pytest.raises(httpx.ConnectError):
            await client.get(running.site.url)
        borrowed = bind(port)
        borrowed.listen()
        with pytest.raises(PortInUseError, match=f"port {port} "):
            await running.site.resume()
        borrowed.close()
        await running.site.resume()
        assert running.site.port == port
        assert (await client.get(running.site.url)).status_code == 404
        assert (await client.get(f"{running.url}/accounts")).status_code == 400


async def test_pausing_and_resuming_twice_does_nothing_more(running: Cloudflare) -> None:
    await running.site.resume()
    await running.site.pause()
    await running.site.pause()
    await running.site.resume()
    _, writer = await asyncio.open_connection("127.0.0.1", running.site.port)
    writer.close()
    await writer.wait_closed()


async def test_a_paused_stand_in_stops_cleanly(make_cloudflare: MakeCloudflare) -> None:
    server = make_cloudflare()
    await server.start()
    await server.site.pause()
    await server.stop()
