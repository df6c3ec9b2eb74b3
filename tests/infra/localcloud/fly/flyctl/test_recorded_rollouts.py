"""More recorded deploys: options, several machines at a time, stopped machines, and what follows a failure."""

from typing import Any

import pytest

from infra.localcloud.fly.machine.runner import MachineRunner
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, Flyctl
from tests.infra.localcloud.fly.flyctl.deployer import (
    BROKEN,
    RECORDS,
    Deployer,
    assert_same,
    assert_same_of_each_machine,
)
from tests.infra.localcloud.fly.recorded import normal, rows, shape

pytestmark = MODULE_LOOP


@pytest.mark.parametrize(
    "name",
    [
        *("deploy-same-image-again", "deploy-no-smoke-checks", "deploy-no-smoke-checks-slow-health"),
        *("deploy-tag-image", "deploy-no-emit-json", "deploy-second-smoke-backdated", "deploy-right-after-kill"),
    ],
)
async def test_one_machine_is_updated_in_the_same_words(deploy: Deployer, name: str) -> None:
    await deploy("deploy-first-rolling")
    assert_same(await deploy(name), RECORDS[name])
    assert await deploy.states() == [("started", "2")]


@pytest.mark.parametrize("name", ["deploy-bad-strategy-flag", "deploy-bad-wait-timeout"])
async def test_a_bad_flag_changes_nothing(deploy: Deployer, name: str) -> None:
    await deploy("deploy-first-rolling")
    assert_same(await deploy(name), RECORDS[name])
    assert await deploy.states() == [("started", "1")]


async def test_the_first_deploy_with_its_smoke_check(deploy: Deployer) -> None:
    assert_same(await deploy("deploy-first-smoke-backdated"), RECORDS["deploy-first-smoke-backdated"])


async def test_the_flag_names_another_app_than_fly_toml(deploy: Deployer, flyctl: Flyctl) -> None:
    await flyctl("apps", "create", "noservice-api")
    record = RECORDS["deploy-app-flag-beats-toml"]
    assert_same(await deploy("deploy-app-flag-beats-toml", app="noservice-api"), record, app="noservice-api")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(("deploy-recover-before-stop", 3), ("deploy-recover", 4), ("prompt-deploy-without-yes", 4)),
        *(("deploy-release-patch-flaky", 4), ("deploy-not-listening", 4)),
    ],
)
async def test_several_machines_are_updated_in_the_same_words(
    deploy: Deployer, flyctl: Flyctl, name: str, count: int
) -> None:
    """`deploy-not-listening` was recorded with checks that pass all the same, as they do here."""
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", str(count), "--yes", "-a", APP)
    assert_same_of_each_machine(await deploy(name), RECORDS[name])
    assert await deploy.states() == [("started", "2")] * count


async def test_a_machine_that_never_starts_fails_the_deploy(
    deploy: Deployer, flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", "4", "--yes", "-a", APP)
    monkeypatch.setattr(MachineRunner, "running", property(lambda self: False))
    assert_same(await deploy("deploy-machine-never-starts", wait="1"), RECORDS["deploy-machine-never-starts"])


async def test_a_broken_image_onto_stopped_machines_is_found_by_a_canary_and_by_nobody_else(
    deploy: Deployer, flyctl: Flyctl
) -> None:
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", "3", "--yes", "-a", APP)
    await deploy.stop_all()
    name = "deploy-broken-image-onto-stopped-canary"
    assert_same(await deploy(name, BROKEN, wait="1"), RECORDS[name])
    assert sorted(await deploy.states()) == [("started", "2"), *[("stopped", "1")] * 3]
    stray = RECORDS["deploy-broken-image-onto-stopped-bluegreen"]
    result = await deploy("deploy-broken-image-onto-stopped-bluegreen", BROKEN, wait="1")
    assert result.exit == stray.exit
    assert normal(result.out) == normal(stray.stdout)
    said = normal(result.err).splitlines()
    assert sorted(said[: len(normal(stray.stderr).splitlines())]) == sorted(normal(stray.stderr).splitlines())
    assert sorted(await deploy.states()) == [("started", "2"), *[("stopped", "1")] * 3]


async def test_what_is_left_of_failed_deploys_is_listed_the_same(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    await deploy.scale(2)
    await deploy("deploy-checks-never-pass-rolling", BROKEN, wait="1")
    status, recorded = await flyctl.json("status"), RECORDS["status-json-after-failed-deploy"].json
    assert _health(status) == _health({**recorded, "Machines": _renumbered(recorded["Machines"])})
    assert (status["Status"], status["Deployed"]) == (recorded["Status"], recorded["Deployed"])
    releases = await flyctl.json("releases")
    failed = RECORDS["releases-json-after-failed-deploy"].json
    assert shape(releases) == shape(failed)
    assert releases[0]["Status"] == failed[0]["Status"] == "failed"
    await deploy("deploy-checks-never-pass-canary", BROKEN, wait="1")
    for name in ("machine-list-after-failed-canary", "machine-list-after-failed-bluegreen"):
        listed = await flyctl(*RECORDS[name].argv[1:])
        assert (listed.exit, normal(listed.out)) == (0, normal(RECORDS[name].stdout))
        await deploy("deploy-checks-never-pass-bluegreen", BROKEN, wait="1")


def _health(status: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (
            machine["state"],
            machine["config"]["metadata"]["fly_release_version"],
            [check["status"] for check in machine["checks"]],
        )
        for machine in status["Machines"]
    )


def _renumbered(machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recorded releases 15 and 17 are the first and the second here."""
    numbers = {"15": "1", "17": "2"}
    for machine in machines:
        metadata = machine["config"]["metadata"]
        metadata["fly_release_version"] = numbers[metadata["fly_release_version"]]
    return machines


async def test_stopped_machines_are_shown_the_same(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    await deploy.scale(3)
    await deploy.stop_all()
    status, recorded = await flyctl.json("status"), RECORDS["status-json-stopped-machines"].json
    assert [(each["state"], each["checks"][0]["status"]) for each in status["Machines"]] == [
        (each["state"], each["checks"][0]["status"]) for each in recorded["Machines"]
    ]
    assert (status["Status"], status["Deployed"]) == (recorded["Status"], recorded["Deployed"])


async def test_a_deploy_after_a_failed_first_one(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-checks-never-pass", BROKEN, wait="1")
    assert_same(await deploy("deploy-again-after-failed-first"), RECORDS["deploy-again-after-failed-first"])
    assert (await flyctl.json("status"))["Status"] == "deployed"


async def test_two_machines_are_listed_the_same(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    await flyctl("scale", "count", "2", "--yes", "-a", APP)
    assert shape(await flyctl.json("machine", "list")) == shape(await flyctl.json("status"))["Machines"]
    machine = shape(await flyctl.json("machine", "list"))[0]
    for name in ("machine-list-json", "status-json-two-machines"):
        recorded = RECORDS[name].json
        found = shape(recorded if isinstance(recorded, list) else recorded["Machines"])[0]
        assert machine.keys() == found.keys()
        assert machine["config"].keys() == found["config"].keys()
    for name in ("machine-list", "status-two-machines"):
        answer = await flyctl(*RECORDS[name].argv[1:])
        assert _columns(answer.out) == _columns(RECORDS[name].stdout)


def _columns(text: str) -> list[list[str]]:
    """Everything but names, addresses and numbers that differ from run to run."""
    changing = ("stub-", "local-", "fdaa:", "127.0.0.1", f"{APP}:", "1", "14", "created", "0/1", "1/1", "started")
    return [["" if cell.startswith(changing) else cell for cell in row] for row in rows(text)]


@pytest.mark.parametrize("name", ["releases-json-image", "releases-image"])
async def test_releases_are_listed_the_same(deploy: Deployer, flyctl: Flyctl, name: str) -> None:
    await deploy("deploy-first-rolling")
    answer = await flyctl(*RECORDS[name].argv[1:])
    if "--json" in RECORDS[name].argv:
        assert shape(await flyctl.json("releases", "--image")) == shape(RECORDS[name].json)
        return
    first, recorded = rows(answer.out), rows(RECORDS[name].stdout)
    assert first[0] == recorded[0]
    assert first[1][1:5] == recorded[1][1:5]


async def test_unset_without_stage_takes_the_strategy_of_the_last_release(deploy: Deployer, flyctl: Flyctl) -> None:
    await flyctl("secrets", "import", "--stage", "-a", APP, stdin="EPSILON=1\n")
    await deploy("deploy-first-rolling")
    await deploy("deploy-no-emit-json")
    record = RECORDS["secrets-unset-no-stage-deployed"]
    result = await flyctl(*record.argv[1:])
    assert (result.exit, normal(result.out)) == (0, normal(record.stdout))
    assert await flyctl.json("secrets", "list") == []


async def test_logs_have_the_same_form(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    shown = await flyctl("logs", "--no-tail", "-a", APP)
    recorded = normal(RECORDS["logs-no-tail"].stdout).splitlines()[0]
    form = recorded.replace("stub log line of <machine>", "starting as <machine>")
    assert form in normal(shown.out).splitlines()
    lines = await flyctl("logs", "--no-tail", "--json", "-a", APP)
    assert _first(lines.out) == _first(RECORDS["logs-no-tail-json"].stdout)


def _first(text: str) -> list[str]:
    """The keys of the first of several JSON documents, by line."""
    end = text.index("\n}\n")
    return [line.split(":")[0] for line in text[:end].splitlines()]
