import json
import logging
import re
from typing import Any

import httpx
import pytest
from cloudflare import AsyncCloudflare

from infra.localcloud.cloudflare.pages.deployments import branch_alias
from tests.infra.localcloud.cloudflare.support import (
    ACCOUNT,
    PROJECTS,
    SITE_PROJECT,
    create_project,
    deploy,
    refusal,
    result,
    upload,
)

DEPLOYMENTS = f"{PROJECTS}/{SITE_PROJECT}/deployments"
SITE = {"/index.html": "<h1>home</h1>"}


@pytest.fixture(autouse=True)
async def project(api: httpx.AsyncClient) -> None:
    await create_project(api)


async def form(api: httpx.AsyncClient, parts: dict[str, Any]) -> httpx.Response:
    return await api.post(DEPLOYMENTS, files=parts)


async def test_a_deployment_of_the_production_branch_goes_live(api: httpx.AsyncClient) -> None:
    made = await deploy(api, SITE)
    assert made["environment"] == "production"
    assert re.fullmatch(r"[0-9a-f]{8}", made["short_id"])
    assert made["id"].startswith(made["short_id"])
    assert made["url"] == f"https://{made['short_id']}.{SITE_PROJECT}.pages.dev"
    assert made["aliases"] is None
    assert made["latest_stage"]["name"] == "deploy"
    assert made["latest_stage"]["status"] == "success"
    assert result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))["canonical_deployment"] == made


async def test_another_branch_makes_a_preview_with_an_alias(api: httpx.AsyncClient) -> None:
    made = await deploy(api, SITE, branch="Feature/New_Crop")
    assert made["environment"] == "preview"
    assert made["aliases"] == [f"https://feature-new-crop.{SITE_PROJECT}.pages.dev"]
    assert result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))["canonical_deployment"] is None


async def test_without_a_branch_the_production_branch_is_meant(api: httpx.AsyncClient) -> None:
    manifest = await upload(api, SITE)
    made = result(await form(api, {"manifest": (None, json.dumps(manifest))}))
    assert made["environment"] == "production"
    assert made["deployment_trigger"]["metadata"]["branch"] == "main"


async def test_the_commit_is_kept(api: httpx.AsyncClient) -> None:
    commit = {"commit_hash": "abc123", "commit_message": "Fïrst\nline", "commit_dirty": "true"}
    parts = {name: (None, value) for name, value in commit.items()}
    made = result(await form(api, {"manifest": (None, json.dumps(await upload(api, SITE))), **parts}))
    assert made["deployment_trigger"] == {
        "type": "ad_hoc",
        "metadata": {"branch": "main", **commit, "commit_dirty": True},
    }


async def test_the_sdk_lists_newest_first_and_by_environment(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    first, second = await deploy(api, SITE), await deploy(api, SITE, branch="next")
    listing = sdk.pages.projects.deployments.list
    assert [one.id async for one in listing(SITE_PROJECT, account_id=ACCOUNT)] == [second["id"], first["id"]]
    assert [one.id async for one in listing(SITE_PROJECT, account_id=ACCOUNT, env="preview")] == [second["id"]]
    read = await sdk.pages.projects.deployments.get(first["id"], account_id=ACCOUNT, project_name=SITE_PROJECT)
    assert read.url == first["url"]


async def test_the_sdk_deploys_too(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    manifest = await upload(api, SITE)
    made = await sdk.pages.projects.deployments.create(
        SITE_PROJECT, account_id=ACCOUNT, branch="main", manifest=json.dumps(manifest)
    )
    assert made.environment == "production"


async def test_files_that_were_not_uploaded_are_named(api: httpx.AsyncClient) -> None:
    manifest = await upload(api, SITE) | {"/lost.js": "0" * 32}
    response = await form(api, {"manifest": (None, json.dumps(manifest))})
    assert refusal(response) == (400, 8000097)
    assert "'/lost.js'" in response.json()["errors"][0]["message"]
    assert result(await api.get(DEPLOYMENTS)) == []


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", '{"index.html": "00000000000000000000000000000000"}', '{"/index.html": 7}']
)
async def test_a_broken_manifest_is_refused(api: httpx.AsyncClient, manifest: str) -> None:
    assert refusal(await form(api, {"manifest": (None, manifest)})) == (400, 8000096)


@pytest.mark.parametrize("field", ["_worker.bundle", "_routes.json", "functions-filepath-routing-config.json"])
async def test_functions_are_not_implemented(api: httpx.AsyncClient, field: str) -> None:
    parts = {"manifest": (None, json.dumps(await upload(api, SITE))), field: (field, b"x")}
    response = await form(api, parts)
    assert refusal(response)[0] == 501
    assert field in response.json()["errors"][0]["message"]


async def test_rules_that_pages_ignores_are_logged_and_deployed(
    api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await deploy(api, SITE, rules={"_redirects": "/* /index.html 200\n", "_headers": "X-Lost: 1\n"})
    assert "_redirects is ignored in part: line 1: /* to /index.html would loop" in caplog.text
    assert "_headers is ignored in part: line 1" in caplog.text


async def test_the_configuration_hash_is_shown_in_the_project(api: httpx.AsyncClient) -> None:
    manifest = (None, json.dumps(await upload(api, SITE)))
    await form(api, {"manifest": manifest, "wrangler_config_hash": (None, "beef")})
    configs = result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))["deployment_configs"]
    assert configs["production"]["wrangler_config_hash"] == "beef"
    assert "wrangler_config_hash" not in configs["preview"]


async def test_an_earlier_production_deployment_is_rolled_back_to(api: httpx.AsyncClient) -> None:
    first, second = await deploy(api, SITE), await deploy(api, {"/index.html": "worse"})
    back = result(await api.post(f"{DEPLOYMENTS}/{first['id']}/rollback"))
    assert back == first
    project = result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))
    assert project["canonical_deployment"]["id"] == first["id"]
    assert project["latest_deployment"]["id"] == second["id"]


async def test_production_is_not_rolled_back_to_a_preview(api: httpx.AsyncClient) -> None:
    preview = await deploy(api, SITE, branch="next")
    assert refusal(await api.post(f"{DEPLOYMENTS}/{preview['id']}/rollback"))[0] == 400


async def test_the_live_deployment_is_not_deleted(api: httpx.AsyncClient) -> None:
    first, second = await deploy(api, SITE), await deploy(api, SITE)
    assert refusal(await api.delete(f"{DEPLOYMENTS}/{second['id']}")) == (400, 8000034)
    assert result(await api.delete(f"{DEPLOYMENTS}/{first['id']}")) is None
    assert refusal(await api.get(f"{DEPLOYMENTS}/{first['id']}")) == (404, 8000009)


async def test_the_holder_of_an_alias_is_deleted_only_by_force(api: httpx.AsyncClient) -> None:
    older, newer = await deploy(api, SITE, branch="next"), await deploy(api, SITE, branch="next")
    assert refusal(await api.delete(f"{DEPLOYMENTS}/{newer['id']}")) == (400, 8000035)
    assert result(await api.delete(f"{DEPLOYMENTS}/{older['id']}")) is None
    assert result(await api.delete(f"{DEPLOYMENTS}/{newer['id']}", params={"force": "true"})) is None


async def test_a_deployment_belongs_to_its_project(api: httpx.AsyncClient) -> None:
    made = await deploy(api, SITE)
    await create_project(api, "other")
    assert refusal(await api.get(f"{PROJECTS}/other/deployments/{made['id']}")) == (404, 8000009)
    assert refusal(await api.get(f"{PROJECTS}/none/deployments/{made['id']}")) == (404, 8000007)


async def test_deploying_to_a_missing_project_is_refused(api: httpx.AsyncClient) -> None:
    parts = {"manifest": (None, "{}")}
    assert refusal(await api.post(f"{PROJECTS}/none/deployments", files=parts)) == (404, 8000007)


@pytest.mark.parametrize(
    ("branch", "alias"),
    [
        ("main", "main"),
        ("feature/one", "feature-one"),
        ("Fix__this..now!", "fix-this-now"),
        ("a-very-long-branch-name-that-never-ends", "a-very-long-branch-name-that"),
        ("twenty-seven-characters-abc/d", "twenty-seven-characters-abc"),
    ],
)
def test_a_branch_becomes_a_dns_label(branch: str, alias: str) -> None:
    assert branch_alias(branch) == alias
