from typing import Any

import httpx
import pytest
from cloudflare import AsyncCloudflare, NotFoundError

from tests.infra.localcloud.cloudflare.support import (
    ACCOUNT,
    PROJECTS,
    SITE_PROJECT,
    create_project,
    deploy,
    refusal,
    result,
)

SECRET = {"type": "secret_text", "value": "hush-hush"}
PLAIN = {"type": "plain_text", "value": "lax"}


async def test_the_sdk_makes_reads_lists_and_deletes_a_project(sdk: AsyncCloudflare) -> None:
    made = await sdk.pages.projects.create(account_id=ACCOUNT, name="app", production_branch="main")
    assert (made.name, made.subdomain, made.production_branch) == ("app", "app.pages.dev", "main")
    assert made.domains == ["app.pages.dev"]
    assert made.latest_deployment is None
    assert (await sdk.pages.projects.get("app", account_id=ACCOUNT)).id == made.id
    assert [project.name async for project in sdk.pages.projects.list(account_id=ACCOUNT)] == ["app"]
    await sdk.pages.projects.delete("app", account_id=ACCOUNT)
    with pytest.raises(NotFoundError) as caught:
        await sdk.pages.projects.get("app", account_id=ACCOUNT)
    assert [error.code for error in caught.value.errors] == [8000007]


async def test_a_name_is_taken_once(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    assert refusal(await api.post(PROJECTS, json={"name": "app", "production_branch": "main"})) == (409, 8000002)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Upper"},
        {"name": "-app"},
        {"name": "app-"},
        {"name": "x" * 59},
        {"name": None},
        {"production_branch": None},
        {"production_branch": ""},
        {"build_config": {"command": "make"}},
        {"deployment_configs": {"staging": {}}},
        {"deployment_configs": {"production": {"env_vars": {"A": "plain"}}}},
        {"deployment_configs": {"production": {"env_vars": {"A": {"type": "hidden", "value": "x"}}}}},
    ],
)
async def test_a_broken_project_is_refused(api: httpx.AsyncClient, change: dict[str, Any]) -> None:
    body = {"name": "app", "production_branch": "main"} | change
    assert refusal(await api.post(PROJECTS, json=body)) == (400, 8000000)
    assert result(await api.get(PROJECTS)) == []


async def test_a_git_source_is_not_implemented(api: httpx.AsyncClient) -> None:
    body = {"name": "app", "production_branch": "main", "source": {"type": "github", "config": {}}}
    assert refusal(await api.post(PROJECTS, json=body))[0] == 501


async def test_secret_variables_are_never_answered(api: httpx.AsyncClient) -> None:
    configs = {"production": {"env_vars": {"REGION": PLAIN, "KEY": SECRET}}}
    body = {"name": "app", "production_branch": "main", "deployment_configs": configs}
    answers = [
        await api.post(PROJECTS, json=body),
        await api.get(f"{PROJECTS}/app"),
        await api.get(PROJECTS),
        await api.patch(f"{PROJECTS}/app", json={"production_branch": "trunk"}),
    ]
    for answer in answers:
        assert "hush-hush" not in answer.text
    variables = result(answers[1])["deployment_configs"]["production"]["env_vars"]
    assert variables == {"REGION": PLAIN, "KEY": {"type": "secret_text", "value": ""}}


async def test_a_patch_merges_and_a_null_removes(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    change = {"production": {"env_vars": {"A": PLAIN, "B": PLAIN}, "build_image_major_version": 2}}
    await api.patch(f"{PROJECTS}/app", json={"deployment_configs": change})
    change = {"production": {"env_vars": {"A": None, "C": PLAIN}}}
    production = result(await api.patch(f"{PROJECTS}/app", json={"deployment_configs": change}))["deployment_configs"][
        "production"
    ]
    assert production["env_vars"] == {"B": PLAIN, "C": PLAIN}
    assert production["build_image_major_version"] == 2
    assert production["usage_model"] == "standard"


async def test_leaving_a_variable_out_of_a_patch_does_not_remove_it(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    for variables in ({"A": PLAIN, "B": PLAIN}, {"A": PLAIN}):
        change = {"production": {"env_vars": variables}}
        answer = result(await api.patch(f"{PROJECTS}/app", json={"deployment_configs": change}))
    assert set(answer["deployment_configs"]["production"]["env_vars"]) == {"A", "B"}


async def test_removing_the_last_variable_leaves_none(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    for variables in ({"A": PLAIN}, {"A": None}):
        change = {"preview": {"env_vars": variables}}
        answer = result(await api.patch(f"{PROJECTS}/app", json={"deployment_configs": change}))
    assert answer["deployment_configs"]["preview"]["env_vars"] is None


async def test_bindings_are_kept_and_removed_by_null(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    for binding in ({"name": "users"}, None):
        change = {"production": {"r2_buckets": {"BUCKET": binding}}}
        answer = result(await api.patch(f"{PROJECTS}/app", json={"deployment_configs": change}))
        bindings = answer["deployment_configs"]["production"]["r2_buckets"]
        assert bindings == ({} if binding is None else {"BUCKET": binding})


async def test_a_project_is_not_renamed(api: httpx.AsyncClient) -> None:
    await create_project(api, "app")
    assert result(await api.patch(f"{PROJECTS}/app", json={"name": "app"}))["name"] == "app"
    assert refusal(await api.patch(f"{PROJECTS}/app", json={"name": "other"}))[0] == 501


async def test_a_project_shows_its_latest_and_its_live_deployment(api: httpx.AsyncClient) -> None:
    await create_project(api)
    live = await deploy(api, {"/index.html": "live"})
    preview = await deploy(api, {"/index.html": "preview"}, branch="next")
    project = result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))
    assert project["canonical_deployment"]["id"] == live["id"]
    assert project["latest_deployment"]["id"] == preview["id"]


async def test_a_project_with_custom_domains_is_not_deleted(api: httpx.AsyncClient) -> None:
    await create_project(api)
    await api.post(f"{PROJECTS}/{SITE_PROJECT}/domains", json={"name": "app.reelballers.test"})
    assert refusal(await api.delete(f"{PROJECTS}/{SITE_PROJECT}")) == (409, 8000028)
    await api.delete(f"{PROJECTS}/{SITE_PROJECT}/domains/app.reelballers.test")
    assert result(await api.delete(f"{PROJECTS}/{SITE_PROJECT}")) is None


async def test_a_project_made_again_has_no_old_deployments(api: httpx.AsyncClient) -> None:
    await create_project(api)
    await deploy(api, {"/index.html": "old"})
    await api.delete(f"{PROJECTS}/{SITE_PROJECT}")
    await create_project(api)
    assert result(await api.get(f"{PROJECTS}/{SITE_PROJECT}/deployments")) == []
