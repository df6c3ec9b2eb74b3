"""The loopback flyctl tells a deploy as the recording of the real one does, and leaves the same machines behind."""

import pytest

from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.flyctl.deployer import BROKEN, CRASHING, RECORDS, Deployer, assert_same
from tests.infra.localcloud.fly.recorded import normal, shape

pytestmark = MODULE_LOOP


async def test_first_and_second_rolling_deploy(deploy: Deployer, flyctl: Flyctl) -> None:
    assert_same(await deploy("deploy-first-rolling"), RECORDS["deploy-first-rolling"])
    assert shape(await flyctl.json("status")) == {
        **shape(RECORDS["status-json-deployed"].json),
        "Machines": [_with_what_the_stub_lacks(shape(RECORDS["status-json-deployed"].json["Machines"][0]))],
    }
    assert_same(await deploy("deploy-second-rolling"), RECORDS["deploy-second-rolling"])
    assert await deploy.states() == [("started", "2")]
    assert shape(await flyctl.json("releases")) == shape(RECORDS["releases-json"].json)
    assert shape(await flyctl.json("ips", "list")) == shape(RECORDS["ips-list-json"].json)


def _with_what_the_stub_lacks(machine: dict[str, object]) -> dict[str, object]:
    """The recorded time stamps were replaced by a text; the sample has no setting of the recorded app."""
    config = machine["config"]
    assert isinstance(config, dict)
    service = config["services"][0]
    service["ports"] = [{"port": "int", "handlers": ["str"]}]
    environment = {"FLY_PROCESS_GROUP": "str", "FROM_TOML": "str", "PRIMARY_REGION": "str"}
    events = [{"type": "str", "status": "str", "source": "str", "timestamp": "int"}]
    return {**machine, "config": {**config, "env": environment}, "events": events}


async def test_two_machines_are_made_without_ha_false(deploy: Deployer) -> None:
    assert_same(await deploy("deploy-first-ha-default"), RECORDS["deploy-first-ha-default"])
    assert await deploy.states() == [("started", "1"), ("started", "1")]


@pytest.mark.parametrize("name", ["deploy-canary", "deploy-bluegreen", "deploy-immediate", "deploy-detach"])
async def test_each_strategy_ends_with_one_new_machine(deploy: Deployer, name: str) -> None:
    await deploy("deploy-first-rolling")
    assert_same(await deploy(name), RECORDS[name])
    assert await deploy.states() == [("started", "2")]


async def test_scaling_and_a_deploy_over_two_machines(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    for name in ("scale-count-2", "scale-count-2-again"):
        result = await flyctl(*RECORDS[name].argv[1:])
        assert (result.exit, normal(result.out)) == (0, normal(RECORDS[name].stdout))
    assert await flyctl.json("scale", "show") == RECORDS["scale-show-json"].json
    assert_same(await deploy("deploy-two-machines-rolling"), RECORDS["deploy-two-machines-rolling"])


async def test_scaling_to_nothing_suspends_the_app(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    unconfirmed = await flyctl("scale", "count", "0", "-a", APP)
    assert (unconfirmed.exit, normal(unconfirmed.err)) == (1, normal(RECORDS["prompt-scale-count"].stderr))
    scaled = await flyctl(*RECORDS["scale-count-0"].argv[1:])
    assert scaled.exit == 0
    assert await flyctl.json("scale", "show") == []
    recorded = {**RECORDS["status-json-scaled-to-0"].json, "Version": 1}
    assert await flyctl.json("status") == recorded


async def test_a_failed_rolling_deploy_leaves_the_first_machine_on_the_broken_image(
    deploy: Deployer, flyctl: Flyctl
) -> None:
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    result = await deploy("deploy-checks-never-pass-rolling", BROKEN, wait="1")
    assert_same(result, RECORDS["deploy-checks-never-pass-rolling"])
    assert "[info] starting as" in result.err
    assert sorted(await deploy.states()) == [("started", "1"), ("started", "2")]
    assert [release["Status"] for release in await flyctl.json("releases")] == ["failed", "complete"]


async def test_a_failed_canary_stays_as_a_regular_machine(deploy: Deployer) -> None:
    await deploy("deploy-first-rolling")
    result = await deploy("deploy-checks-never-pass-canary", BROKEN, wait="1")
    assert_same(result, RECORDS["deploy-checks-never-pass-canary"])
    assert await deploy.states() == [("started", "1"), ("started", "2")]


async def test_a_failed_blue_green_leaves_nothing(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", "3", "--yes", "-a", APP)
    result = await deploy("deploy-checks-never-pass-bluegreen", BROKEN, wait="1")
    assert_same(result, RECORDS["deploy-checks-never-pass-bluegreen"])
    assert await deploy.states() == [("started", "1")] * 3


async def test_immediate_never_looks_whether_it_works(deploy: Deployer) -> None:
    await deploy("deploy-first-rolling")
    assert (await deploy("deploy-checks-never-pass-immediate", BROKEN)).exit == 0
    assert await deploy.states() == [("started", "2")]


async def test_stopped_machines_are_updated_and_never_checked(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    machines = [machine["id"] for machine in await flyctl.json("machine", "list")]
    stopped = await flyctl("machine", "stop", *machines, "-a", APP)
    assert normal(stopped.out) == "\n".join(normal(RECORDS["machine-stop"].stdout).splitlines()[:2])
    result = await deploy("deploy-broken-image-onto-stopped-machines", BROKEN)
    assert result.exit == RECORDS["deploy-broken-image-onto-stopped-machines"].exit == 0
    assert await deploy.states() == [("stopped", "2")]
    started = await flyctl("machine", "start", *machines, "-a", APP)
    assert normal(started.out) == normal(RECORDS["machine-start"].stdout).splitlines()[0]


async def test_a_crashing_machine_fails_with_its_last_lines(deploy: Deployer) -> None:
    await deploy("deploy-first-rolling")
    result = await deploy("deploy-machine-crashes", CRASHING)
    assert_same(result, RECORDS["deploy-machine-crashes"])
    assert "the sample crashes as asked" in result.err


async def test_a_failed_first_deploy_leaves_a_machine_and_a_pending_app(deploy: Deployer, flyctl: Flyctl) -> None:
    result = await deploy("deploy-first-checks-never-pass", BROKEN, wait="1")
    assert_same(result, RECORDS["deploy-first-checks-never-pass"])
    status = await flyctl.json("status")
    recorded = RECORDS["status-json-after-failed-first-deploy"].json
    assert (status["Deployed"], status["Status"], status["Version"]) == (False, "pending", 1)
    assert (recorded["Deployed"], recorded["Status"], recorded["Version"]) == (False, "pending", 1)
    assert [machine["state"] for machine in status["Machines"]] == ["started"]


async def test_a_deploy_that_fails_before_its_release_changes_nothing(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    (flyctl.folder / "fly.toml").write_text(f'app = "{APP}"\n[[vm]]\nmemory = "lots"\n')
    result = await deploy("toml-badmem-deploy")
    assert_same(result, RECORDS["toml-badmem-deploy"])
    assert await deploy.states() == [("started", "1")]


async def test_secrets_without_stage_are_rolled_out_at_once(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    record = RECORDS["secrets-import-no-stage-deployed"]
    result = await flyctl(*record.argv[1:], stdin=record.stdin)
    assert (result.exit, normal(result.out)) == (0, normal(record.stdout.replace(":build-1", "")))
    assert [secret["status"] for secret in await flyctl.json("secrets", "list")] == ["Deployed"]
    assert await deploy.states() == [("started", "2")]
