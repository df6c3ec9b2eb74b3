"""The front of an app: HTTP and WebSockets reach a machine whole, and failures are told apart."""

import asyncio
import json

import httpx
import pytest
import pytest_asyncio
import websockets
from websockets.asyncio.client import connect

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl, Gate
from tests.infra.localcloud.fly.waiting import until

pytestmark = MODULE_LOOP
ASGI = {"SERVER": "asgi"}


@pytest_asyncio.fixture(loop_scope="module")
async def asgi(flyctl: Flyctl, app: str) -> str:
    """One machine that serves ASGI."""
    result = await flyctl.deploy(env=ASGI)
    assert result.exit == 0, result.err
    return app


def socket_url(fly: Fly, path: str = "/") -> str:
    return f"ws://127.0.0.1:{fly.fronts[APP]}{path}"


async def test_a_request_arrives_as_it_was_sent_with_flys_own_headers(
    fly: Fly, asgi: str, front: httpx.AsyncClient
) -> None:
    sent = {
        "Fly-Client-IP": "6.6.6.6",
        "X-Forwarded-For": "9.9.9.9",
        "X-Mine": "kept",
        "Connection": "X-Hop",
        "X-Hop": "1",
    }
    answer = await front.put("/a%2Fb/%C3%A9?x=1&x=%20", content=b"body", headers=sent)
    seen = answer.json()
    headers = dict(seen["headers"])
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == ("PUT", "/a%2Fb/%C3%A9", "x=1&x=%20", "body")
    assert headers["host"] == f"127.0.0.1:{fly.fronts[APP]}"
    assert headers["x-mine"] == "kept"
    assert headers["fly-client-ip"] == "127.0.0.1"
    assert headers["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["fly-region"]) == ("http", "lax")
    assert "x-hop" not in headers
    assert headers["content-length"] == "4"
    assert answer.headers["fly-request-id"] == headers["fly-request-id"]


async def test_bodies_are_streamed_both_ways(fly: Fly, asgi: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", fly.fronts[APP])
    writer.write(b"POST /double HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    assert (head.count(b"a=1"), head.count(b"b=2")) == (1, 1)
    assert await asyncio.wait_for(reader.readuntil(b"oneone"), 60)
    writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
    assert await asyncio.wait_for(reader.readuntil(b"twotwo"), 60)
    writer.close()


async def test_an_answer_that_breaks_off_does_not_end_well(asgi: str, front: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await front.get("/cut")


async def test_a_large_upload_that_waits_for_100_continue_goes_through(fly: Fly, asgi: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", fly.fronts[APP])
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    assert await asyncio.wait_for(reader.readline(), 60) == b"HTTP/1.1 100 Continue\r\n"
    writer.write(b"hello")
    answer = await asyncio.wait_for(reader.read(), 60)
    assert b'"body": "hello"' in answer
    writer.close()


async def test_a_websocket_passes_text_bytes_and_its_subprotocol(fly: Fly, asgi: str) -> None:
    async with connect(socket_url(fly), subprotocols=[websockets.Subprotocol("v1")]) as socket:
        assert socket.subprotocol == "v1"
        await socket.send("text")
        assert await socket.recv() == "text"
        await socket.send(b"\x00bytes" * 50_000)
        assert await socket.recv() == b"\x00bytes" * 50_000
        assert await asyncio.wait_for(await socket.ping(), 60) >= 0


async def test_the_closing_code_of_the_machine_reaches_the_client(fly: Fly, asgi: str) -> None:
    async with connect(socket_url(fly)) as socket:
        await socket.send("close 4404")
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4404, "as asked")


async def test_the_closing_code_of_the_client_reaches_the_machine(fly: Fly, flyctl: Flyctl, asgi: str) -> None:
    async with connect(socket_url(fly)) as socket:
        await socket.close(4001, "bye")
    lines = fly.app(APP).log
    await until(lambda: any("by the client with 4001" in line["message"] for line in lines.tail(5)))


async def test_what_a_client_sent_before_it_left_reaches_the_machine_with_its_closing_code(
    fly: Fly, asgi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes and leaves without waiting for an answer, while the machine does not read yet."""
    monkeypatch.setattr("infra.localcloud.fly.proxy.websocket._CLOSE_WAIT_S", 120.0)
    count, size = 256, 64 * 1024
    reader, writer = await asyncio.open_connection("127.0.0.1", fly.fronts[APP])
    handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
    writer.write(f"GET /sink HTTP/1.1\r\nHost: x\r\n{handshake}\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
    assert b"101" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    no_mask = b"\x00\x00\x00\x00"
    for _ in range(count):
        writer.write(b"\x82\xff" + size.to_bytes(8, "big") + no_mask + bytes(size))
    closing = (4001).to_bytes(2, "big") + b"bye"
    writer.write(b"\x88" + bytes([0x80 | len(closing)]) + no_mask + closing)
    await writer.drain()
    writer.write_eof()
    writer.close()
    lines = fly.app(APP).log
    await until(lambda: any("the sink got" in line["message"] for line in lines.tail(5)))
    (said,) = (line["message"] for line in lines.tail(5) if "the sink got" in line["message"])
    assert said == f"the sink got {count * size} bytes and was closed with 4001"


async def test_a_stopping_machine_says_so_on_its_websockets(fly: Fly, asgi: str) -> None:
    (runner,) = fly.app(APP).machines.values()
    async with connect(socket_url(fly)) as socket:
        await socket.send("open")
        await socket.recv()
        stopping = asyncio.create_task(runner.stop())
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await socket.recv()
        await stopping
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


async def test_a_refused_websocket_is_refused_with_the_machines_status(fly: Fly, asgi: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await connect(socket_url(fly, "/refused"))
    assert caught.value.response.status_code == 403


async def test_a_client_that_leaves_frees_its_place(
    fly: Fly, deployed: str, front: httpx.AsyncClient, gate: Gate
) -> None:
    (runner,) = fly.app(APP).machines.values()
    request = asyncio.create_task(front.get(gate.path))
    await until(lambda: runner.load == 1)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await until(lambda: runner.load == 0)


async def test_without_an_app_or_a_machine_the_proxy_answers_itself(flyctl: Flyctl, front: httpx.AsyncClient) -> None:
    assert (await front.get("/")).status_code == 404
    await flyctl("apps", "create", APP)
    answer = await front.get("/")
    assert (answer.status_code, answer.headers["server"]) == (502, "Fly/local")


async def test_a_machine_whose_check_fails_gets_no_request(flyctl: Flyctl, app: str, front: httpx.AsyncClient) -> None:
    config = flyctl.folder / "fly.toml"
    config.write_text(config.read_text().replace('grace_period = "60s"', 'grace_period = "0s"'))
    assert (await flyctl.deploy("--detach", env={"BROKEN": "health"})).exit == 0
    answer = await front.get("/")
    assert (answer.status_code, "healthy" in answer.text) == (503, True)


async def test_a_paused_front_refuses_connections_until_it_is_resumed(
    fly: Fly, deployed: str, front: httpx.AsyncClient
) -> None:
    first = (await front.get("/")).json()
    port = fly.fronts[APP]
    await fly.pause(APP)
    with pytest.raises(httpx.ConnectError):
        await front.get("/")
    await fly.resume(APP)
    assert fly.fronts[APP] == port
    assert (await front.get("/")).json() == first
    with pytest.raises(KeyError, match="no-such-app"):
        await fly.pause("no-such-app")


async def test_requests_during_a_rolling_deploy_of_one_machine_are_held_not_lost(
    fly: Fly, flyctl: Flyctl, deployed: str, front: httpx.AsyncClient
) -> None:
    statuses: list[int] = []
    versions: set[str] = set()
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            answer = await front.get("/")
            statuses.append(answer.status_code)
            versions.add(json.loads(answer.content)["version"])
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    await until(lambda: versions == {"1"})
    (flyctl.folder / "service" / "version.txt").write_text("2")
    result = await flyctl.deploy()
    before = len(statuses)
    await until(lambda: len(statuses) > before + 1 or asking.done())
    done.set()
    await asking
    assert result.exit == 0
    assert set(statuses) == {200}
    assert versions == {"1", "2"}
