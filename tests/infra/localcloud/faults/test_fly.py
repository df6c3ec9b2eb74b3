"""What the stand-in's flyctl says of each fault, and what a request meets whose machine dies."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.localcloud.faults import Faults
from infra.localcloud.fly import Fly
from tests.infra.localcloud.faults.serving import log, plan, rule
from tests.infra.localcloud.fly.conftest import APP, TOKEN, Flyctl, copy_sample
from tests.infra.localcloud.modal.harness import eventually

SHOW = f"GET /v1/apps/{APP}"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def fly(tmp_path: Path, faults: Faults) -> AsyncIterator[Fly]:
    python = Path(sys.executable)
    fly = Fly(tmp_path / "fly", fronts={APP: 0}, python=python, tokens=frozenset({TOKEN}), hold_s=30, faults=faults)
    await fly.start()
    yield fly
    await fly.stop()


@pytest.fixture
def flyctl(fly: Fly, tmp_path: Path) -> Flyctl:
    return Flyctl(fly, copy_sample(tmp_path / "sample"))


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("too_many", 429, "server returned a non-200 status code: 429"),
        ("server_error", 500, "server returned a non-200 status code: 500"),
        ("expired_token", 401, "You must be authenticated to view this."),
        ("lost_request", 0, "EOF"),
        ("lost_response", 0, "EOF"),
    ],
)
async def test_flyctl_fails_at_the_planned_call_and_only_there(
    flyctl: Flyctl, faults: Faults, fault: str, status: int, said: str
) -> None:
    assert (await flyctl("apps", "create", APP, "--org", "personal")).exit == 0
    faults.use(plan(rule("fly", SHOW, fault, nth=2)))
    before = len(faults.calls)
    results = [await flyctl("status", "-a", APP, "--json") for _ in range(3)]
    assert [result.exit for result in results] == [0, 1, 0]
    assert said in results[1].err or "connection reset" in results[1].err
    assert log(faults, before) == [(SHOW, "", 200), (SHOW, fault, status), (SHOW, "", 200)]


async def test_a_lost_answer_leaves_what_the_call_did(flyctl: Flyctl, faults: Faults) -> None:
    faults.use(plan(rule("fly", "POST /v1/apps", "lost_response", nth=1)))
    assert (await flyctl("apps", "create", APP, "--org", "personal")).exit == 1
    assert (await flyctl("status", "-a", APP, "--json")).exit == 0


async def test_a_killed_machine_breaks_its_request_and_is_started_again(
    flyctl: Flyctl, fly: Fly, faults: Faults
) -> None:
    assert (await flyctl("apps", "create", APP, "--org", "personal")).exit == 0
    deployed = await flyctl.deploy()
    assert deployed.exit == 0, deployed.err
    faults.use(plan(rule("fly", f"MACHINE {APP}", "killed", nth=2)))
    [machine] = fly.app(APP).machines.values()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{fly.fronts[APP]}", timeout=60) as front:
        assert (await front.get("/")).status_code == 200
        # The proxy may find the connection broken, or find nobody there and hold the request until the restart.
        assert (await front.get("/")).status_code in (200, 502, 503)

        async def answers() -> bool:
            return (await front.get("/")).status_code == 200

        await eventually(answers, within_s=60)
    assert "Main child exited" in json.dumps(fly.app(APP).log.tail(100, None))
    assert [call.fault for call in faults.calls if call.call == f"MACHINE {APP}"][:2] == ["", "killed"]
    assert fly.app(APP).machines.keys() == {machine.record.id}
