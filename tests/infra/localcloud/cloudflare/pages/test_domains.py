import httpx
import pytest
from cloudflare import AsyncCloudflare

from tests.infra.localcloud.cloudflare.support import (
    ACCOUNT,
    PROJECTS,
    SITE_PROJECT,
    ZONE,
    ZONE_ID,
    create_project,
    refusal,
    result,
)

DOMAINS = f"{PROJECTS}/{SITE_PROJECT}/domains"
APP = f"app.{ZONE}"


@pytest.fixture(autouse=True)
async def project(api: httpx.AsyncClient) -> None:
    await create_project(api)


async def point(api: httpx.AsyncClient, host: str, target: str) -> str:
    record = {"type": "CNAME", "name": host, "content": target}
    return str(result(await api.post(f"/zones/{ZONE_ID}/dns_records", json=record))["id"])


async def test_a_domain_is_pending_until_its_cname_exists(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    made = await sdk.pages.projects.domains.create(SITE_PROJECT, account_id=ACCOUNT, name=APP)
    assert made is not None
    assert (made.status, made.zone_tag) == ("pending", ZONE_ID)
    record = await point(api, APP, f"{SITE_PROJECT}.pages.dev")
    checked = await sdk.pages.projects.domains.edit(APP, account_id=ACCOUNT, project_name=SITE_PROJECT)
    assert checked is not None
    assert (checked.status, checked.validation_data.status) == ("active", "active")
    await api.delete(f"/zones/{ZONE_ID}/dns_records/{record}")
    assert result(await api.get(f"{DOMAINS}/{APP}"))["status"] == "pending"


async def test_a_cname_to_elsewhere_does_not_activate(api: httpx.AsyncClient) -> None:
    await point(api, APP, "other-project.pages.dev")
    assert result(await api.post(DOMAINS, json={"name": APP}))["status"] == "pending"


async def test_the_apex_is_activated_by_its_flattened_cname(api: httpx.AsyncClient) -> None:
    await point(api, "@", f"{SITE_PROJECT}.pages.dev")
    assert result(await api.post(DOMAINS, json={"name": ZONE}))["status"] == "active"


async def test_domains_are_listed_here_and_in_the_project(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    await api.post(DOMAINS, json={"name": APP})
    listed = sdk.pages.projects.domains.list(SITE_PROJECT, account_id=ACCOUNT)
    assert [domain.name async for domain in listed] == [APP]
    assert result(await api.get(f"{PROJECTS}/{SITE_PROJECT}"))["domains"] == [f"{SITE_PROJECT}.pages.dev", APP]


async def test_a_domain_is_added_once_over_all_projects(api: httpx.AsyncClient) -> None:
    await create_project(api, "other")
    await api.post(DOMAINS, json={"name": APP})
    assert refusal(await api.post(DOMAINS, json={"name": APP.upper()})) == (409, 8000018)
    assert refusal(await api.post(f"{PROJECTS}/other/domains", json={"name": APP})) == (409, 8000018)


async def test_a_deleted_domain_is_gone(api: httpx.AsyncClient) -> None:
    await api.post(DOMAINS, json={"name": APP})
    assert result(await api.delete(f"{DOMAINS}/{APP}")) is None
    assert refusal(await api.get(f"{DOMAINS}/{APP}")) == (404, 8000021)
    assert refusal(await api.delete(f"{DOMAINS}/{APP}")) == (404, 8000021)


async def test_a_domain_outside_the_zones_stays_pending_without_a_zone(api: httpx.AsyncClient) -> None:
    made = result(await api.post(DOMAINS, json={"name": "app.elsewhere.test"}))
    assert (made["status"], made["zone_tag"]) == ("pending", "")


@pytest.mark.parametrize("name", ["", None, "localhost", "x.pages.dev", "a b.test", "https://a.test", "127.0.0.1"])
async def test_what_is_no_domain_of_ones_own_is_refused(api: httpx.AsyncClient, name: object) -> None:
    assert refusal(await api.post(DOMAINS, json={"name": name})) == (400, 8000017)


async def test_a_missing_project_is_refused(api: httpx.AsyncClient) -> None:
    assert refusal(await api.post(f"{PROJECTS}/none/domains", json={"name": APP})) == (404, 8000007)
    assert refusal(await api.get(f"{PROJECTS}/none/domains/{APP}")) == (404, 8000007)
