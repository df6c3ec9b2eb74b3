"""Start, stop and what is left between two lives of the stand-in."""

import json
import stat
from pathlib import Path

import httpx
import pytest

from infra.localcloud.asgi import PortInUseError
from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, TOKEN, Flyctl, copy_sample, start_fly
from tests.infra.localcloud.fly.waiting import is_alive

pytestmark = MODULE_LOOP


async def remembered(flyctl: Flyctl) -> list[object]:
    commands = (("releases",), ("secrets", "list"), ("certs", "list"), ("ips", "list"))
    return [await flyctl.json(*command) for command in commands]


def client_of(fly: Fly) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{fly.fronts[APP]}", timeout=120.0)


async def test_apps_secrets_releases_machines_and_certificates_survive_a_restart(tmp_path: Path) -> None:
    fly = start_fly(tmp_path / "state")
    await fly.start()
    try:
        flyctl = Flyctl(fly, copy_sample(tmp_path / "sample"))
        await flyctl("apps", "create", APP)
        await flyctl("secrets", "import", "--stage", "-a", APP, stdin="KEPT=1\n")
        assert (await flyctl.deploy()).exit == 0
        await flyctl("secrets", "import", "--stage", "-a", APP, stdin="NEW=1\n")
        await flyctl("certs", "add", "api.example.com", "-a", APP)
        await flyctl("scale", "count", "2", "--yes", "-a", APP)
        first, second = fly.app(APP).machines
        await flyctl("machine", "stop", second, "-a", APP)
        before = await remembered(flyctl)
        async with client_of(fly) as client:
            pids = (await client.get("/child")).json()
    finally:
        await fly.stop()
    assert not is_alive(pids["pid"])
    assert not is_alive(pids["child"])

    again = start_fly(tmp_path / "state", fronts=fly.fronts)
    await again.start()
    try:
        flyctl = Flyctl(again, flyctl.folder)
        assert await remembered(flyctl) == before
        states = {machine["id"]: machine["state"] for machine in await flyctl.json("machine", "list")}
        assert states == {first: "started", second: "stopped"}
        async with client_of(again) as client:
            environment = (await client.get("/environment")).json()
        assert (environment["FLY_MACHINE_ID"], environment["KEPT"]) == (first, "1")
        assert "NEW" not in environment
    finally:
        await again.stop()


async def test_secrets_are_readable_by_the_owner_only_and_never_shown(tmp_path: Path) -> None:
    fly, value = start_fly(tmp_path / "state"), "a-value-that-nobody-sees"
    await fly.start()
    try:
        flyctl = Flyctl(fly, tmp_path)
        await flyctl("apps", "create", APP)
        imported = await flyctl("secrets", "import", "--stage", "-a", APP, stdin=f"KEY={value}\n")
        listed = await flyctl("secrets", "list", "-a", APP, "--json")
        status = await flyctl("status", "-a", APP, "--json")
    finally:
        await fly.stop()
    assert value not in "".join([imported.out, imported.err, listed.out, status.out])
    holders = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and value in path.read_text()]
    assert [path.name for path in holders] == ["secrets.json"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


async def test_a_taken_port_is_named_and_nothing_stays_open(fly: Fly, tmp_path: Path) -> None:
    other = start_fly(tmp_path / "other", fronts={"x": fly.fronts[APP]})
    with pytest.raises(PortInUseError, match=str(fly.fronts[APP])):
        await other.start()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(other.url)


async def test_stop_can_be_called_twice_and_before_start(tmp_path: Path) -> None:
    fly = start_fly(tmp_path / "state")
    await fly.stop()
    await fly.start()
    await fly.stop()
    await fly.stop()


async def test_an_unknown_call_answers_501_with_its_name(fly: Fly) -> None:
    async with httpx.AsyncClient(base_url=fly.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        answer = await client.get("/v1/apps/x/volumes")
    assert answer.status_code == 501
    assert "GET /v1/apps/x/volumes" in answer.json()["message"]


async def test_a_malformed_body_is_refused_without_repeating_it(fly: Fly, app: str) -> None:
    async with httpx.AsyncClient(base_url=fly.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        body = json.dumps({"set": {"KEY": ["do-not-repeat"]}})
        answer = await client.post(f"/v1/apps/{app}/secrets", content=body)
    assert answer.status_code == 400
    assert "set.KEY" in answer.json()["message"]
    assert "do-not-repeat" not in answer.text


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN])
async def test_every_call_needs_a_known_token(fly: Fly, header: str | None) -> None:
    async with httpx.AsyncClient(base_url=fly.url, timeout=60) as client:
        answer = await client.get("/v1/apps/x", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
