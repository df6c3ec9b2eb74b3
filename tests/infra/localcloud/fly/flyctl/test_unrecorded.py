"""Commands of which no call was recorded: what they do, not how they say it."""

import httpx
import pytest

from infra.localcloud.fly import Fly
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl

pytestmark = MODULE_LOOP


async def test_secrets_set_reach_the_machines_at_once_or_with_the_next_deploy(
    flyctl: Flyctl, deployed: str, front: httpx.AsyncClient
) -> None:
    assert (await flyctl("secrets", "set", "ONE=a=b", "-a", deployed)).exit == 0
    assert (await front.get("/environment")).json()["ONE"] == "a=b"
    staged = await flyctl("secrets", "set", "TWO=2", "--stage", "-a", deployed)
    assert (staged.exit, "have been staged" in staged.out) == (0, True)
    assert "TWO" not in (await front.get("/environment")).json()
    assert (await flyctl("secrets", "deploy", "-a", deployed)).exit == 0
    assert (await front.get("/environment")).json()["TWO"] == "2"


@pytest.mark.parametrize("argument", ["WITHOUT", ""])
async def test_secrets_set_needs_pairs(flyctl: Flyctl, app: str, argument: str) -> None:
    result = await flyctl("secrets", "set", *([argument] if argument else []), "-a", app)
    assert result.exit == 1
    assert "VALUE" in result.err


async def test_scale_vm_gives_every_machine_the_size_and_memory(fly: Fly, flyctl: Flyctl, deployed: str) -> None:
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    result = await flyctl("scale", "vm", "shared-cpu-2x", "--vm-memory", "1024", "-a", APP)
    assert result.exit == 0, result.err
    (group,) = await flyctl.json("scale", "show")
    assert (group["CPUs"], group["CPUKind"], group["Memory"], group["Count"]) == (2, "shared", 1024, 2)
    assert {runner.record.release_version for runner in fly.app(APP).machines.values()} == {1}
    refused = await flyctl("scale", "vm", "enormous-1x", "-a", APP)
    assert (refused.exit, "invalid machine size requested, 'enormous-1x'" in refused.err) == (1, True)


async def test_a_private_address_is_of_another_kind(flyctl: Flyctl, app: str) -> None:
    assert "private ingress" in (await flyctl("ips", "allocate-v6", "--private", "-a", app)).out
    (address,) = await flyctl.json("ips", "list")
    assert address["Type"] == "private_v6"


async def test_apps_of_another_organization_are_none(flyctl: Flyctl, app: str) -> None:
    mine = await flyctl("apps", "list", "--quiet", "--org", "personal")
    others = await flyctl("apps", "list", "--quiet", "--org", "others")
    assert (mine.out.split(), others.out.split()) == ([APP], [])
