"""`force_https`: plain http is redirected by the proxy, and no machine is woken for it."""

import httpx
import pytest
import pytest_asyncio
import websockets
from websockets.asyncio.client import connect

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl

pytestmark = MODULE_LOOP
TLS = {"X-Forwarded-Proto": "https"}


@pytest_asyncio.fixture(loop_scope="module")
async def forcing(flyctl: Flyctl, app: str) -> str:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace("[http_service]\n", "[http_service]\nforce_https = true\n"))
    result = await flyctl.deploy(env={"SERVER": "asgi"})
    assert result.exit == 0, result.err
    return app


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_plain_http_is_sent_to_https(fly: Fly, forcing: str, front: httpx.AsyncClient, method: str) -> None:
    answer = await front.request(method, "/a%2Fb?x=%20")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://127.0.0.1:{fly.fronts[APP]}/a%2Fb?x=%20"
    assert answer.headers["server"] == "Fly/local"


async def test_what_came_over_tls_goes_through_and_the_machine_is_told(forcing: str, front: httpx.AsyncClient) -> None:
    answer = await front.get("/", headers=TLS)
    headers = dict(answer.json()["headers"])
    assert answer.status_code == 200
    told = ("x-forwarded-proto", "x-forwarded-port", "x-forwarded-ssl", "fly-forwarded-proto")
    assert [headers[name] for name in told] == ["https", "443", "on", "https"]


async def test_a_socket_needs_tls_too(fly: Fly, forcing: str) -> None:
    url = f"ws://127.0.0.1:{fly.fronts[APP]}/"
    with pytest.raises(websockets.InvalidURI, match="https://"):
        await connect(url)
    async with connect(url, additional_headers=TLS) as socket:
        await socket.send("text")
        assert await socket.recv() == "text"


async def test_a_redirect_wakes_nobody(fly: Fly, flyctl: Flyctl, forcing: str, front: httpx.AsyncClient) -> None:
    (machine,) = fly.app(APP).machines
    await flyctl("machine", "stop", machine, "-a", APP)
    assert (await front.get("/")).status_code == 301
    assert fly.app(APP).machines[machine].record.state == "stopped"
    assert (await front.get("/", headers=TLS)).status_code == 200


async def test_without_it_plain_http_goes_through(deployed: str, front: httpx.AsyncClient) -> None:
    assert (await front.get("/")).status_code == 200
