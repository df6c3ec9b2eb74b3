"""Lists and single facts, as the recording of the real flyctl shows them."""

import json

import pytest

from infra.localcloud.fly.certificates import CertificateAuthority
from infra.localcloud.fly.model import Certificate
from tests.infra.localcloud.fly.conftest import APP, MODULE_LOOP, TOKEN, Flyctl, Result
from tests.infra.localcloud.fly.flyctl.deployer import RECORDS, Deployer
from tests.infra.localcloud.fly.recorded import normal, rows, shape

pytestmark = MODULE_LOOP


async def run(flyctl: Flyctl, name: str) -> Result:
    record = RECORDS[name]
    return await flyctl(*record.argv[1:], stdin=record.stdin, env=record.env)


async def test_apps_are_listed_the_same(flyctl: Flyctl, app: str) -> None:
    created = await run(flyctl, "apps-create-json")
    recorded = RECORDS["apps-create-json"].json
    assert shape(json.loads(created.out)) == shape(recorded)
    same = ("ID", "Status", "Hostname", "AppURL", "Deployed", "PlatformVersion")
    assert [json.loads(created.out)[key] for key in same] == [recorded[key] for key in same]
    await flyctl("apps", "create", "third-api")
    assert rows((await run(flyctl, "apps-list")).out) == rows(RECORDS["apps-list"].stdout)
    listed = json.loads((await run(flyctl, "apps-list-json")).out)
    recorded_list = RECORDS["apps-list-json"].json
    assert [each["ID"] for each in listed] == [each["ID"] for each in recorded_list]
    assert shape(listed) == shape(recorded_list)
    quick = await run(flyctl, "apps-create-quick-second-token")
    recorded_names = normal(RECORDS["apps-create-quick-second-token"].stdout)
    assert normal(quick.out).split() == [APP, "second-api", "third-api"]
    assert len(quick.out.splitlines()) == len(recorded_names.splitlines()) + 1


async def test_a_fresh_app_is_created_in_the_same_words(flyctl: Flyctl) -> None:
    created = await run(flyctl, "apps-create-fresh")
    assert (created.exit, normal(created.out)) == (0, normal(RECORDS["apps-create-fresh"].stdout))


async def test_the_version_has_the_same_fields(flyctl: Flyctl) -> None:
    version = json.loads((await run(flyctl, "version-json")).out)
    recorded = RECORDS["version-json"].json
    assert shape(version) == shape(recorded)
    assert version["Version"] == recorded["Version"]


@pytest.mark.parametrize("name", ["status-no-app", "status-config-file-only"])
async def test_the_app_is_taken_from_fly_toml(deploy: Deployer, flyctl: Flyctl, name: str) -> None:
    answer = await run(flyctl, name)
    assert answer.exit == RECORDS[name].exit == 0
    assert json.loads(answer.out)["Name"] == RECORDS[name].json["Name"] == APP


async def test_the_other_variable_of_the_token_is_enough(flyctl: Flyctl, app: str) -> None:
    record = RECORDS["api-token-only"]
    answer = await flyctl(*record.argv[1:], env={**record.env, "FLY_API_TOKEN": TOKEN})
    assert (answer.exit, json.loads(answer.out)["Name"]) == (record.exit, record.json["Name"])


async def test_secrets_are_listed_the_same(deploy: Deployer, flyctl: Flyctl) -> None:
    await run(flyctl, "secrets-import-stage")
    assert rows((await run(flyctl, "secrets-list")).out) == rows(RECORDS["secrets-list"].stdout)
    await deploy("deploy-first-rolling")
    deployed = json.loads((await run(flyctl, "secrets-list-json-deployed")).out)
    recorded = RECORDS["secrets-list-json-deployed"].json
    assert shape(deployed) == shape(recorded)
    assert {each["status"] for each in deployed} == {each["status"] for each in recorded} == {"Deployed"}


async def test_addresses_are_allocated_and_listed_the_same(deploy: Deployer, flyctl: Flyctl) -> None:
    await deploy("deploy-first-rolling")
    for name in ("ips-allocate-v6", "ips-allocate-v4-shared", "ips-list"):
        answer = await run(flyctl, name)
        assert answer.exit == 0
        assert rows(answer.out) == rows(RECORDS[name].stdout)
    dedicated = await flyctl("ips", "allocate-v4", "--yes", "-a", APP)
    assert (dedicated.exit, rows(dedicated.out)[1][2]) == (0, "public ingress (dedicated, $2/mo)")
    assert [each["Type"] for each in await flyctl.json("ips", "list")].count("shared_v4") == 1


async def test_certificates_are_described_the_same(
    deploy: Deployer, flyctl: Flyctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_issued(_: CertificateAuthority, certificate: Certificate) -> bool:
        return certificate.hostname != "new.example.com"

    monkeypatch.setattr(CertificateAuthority, "is_issued", is_issued)
    await deploy("deploy-first-rolling")
    await run(flyctl, "certs-add")
    pending = await run(flyctl, "certs-add-json-pending")
    assert shape(json.loads(pending.out)) == shape(RECORDS["certs-add-json-pending"].json)
    for name in ("certs-check-json-pending", "certs-show-json"):
        assert shape(json.loads((await run(flyctl, name)).out)) == shape(RECORDS[name].json)
    for name in ("certs-check-pending", "certs-check", "certs-list"):
        answer = await run(flyctl, name)
        assert (answer.exit, normal(answer.out)) == (0, normal(RECORDS[name].stdout))
