import httpx
import pytest

from tests.infra.localcloud.cloudflare.support import (
    PROJECTS,
    SITE_PROJECT,
    ZONE,
    ZONE_ID,
    create_project,
    deploy,
    result,
)


async def shown(web: httpx.AsyncClient, host: str) -> str:
    response = await web.get("/", headers={"host": host})
    assert response.status_code == 200, response.text
    return response.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:5173", "localhost:5173", "LOCALHOST"])
async def test_the_local_host_shows_production_of_the_site_project(
    api: httpx.AsyncClient, web: httpx.AsyncClient, host: str
) -> None:
    await create_project(api)
    await create_project(api, "other")
    await deploy(api, {"/index.html": "ours"})
    await deploy(api, {"/index.html": "theirs"}, project="other")
    await deploy(api, {"/index.html": "preview"}, branch="next")
    assert await shown(web, host) == "ours"


async def test_hosts_of_pages_dev_show_projects_aliases_and_single_deployments(
    api: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await create_project(api)
    first = await deploy(api, {"/index.html": "first"})
    await deploy(api, {"/index.html": "second"})
    older = await deploy(api, {"/index.html": "older preview"}, branch="next")
    await deploy(api, {"/index.html": "newer preview"}, branch="next")
    domain = f"{SITE_PROJECT}.pages.dev"
    assert await shown(web, domain) == "second"
    assert await shown(web, f"{first['short_id']}.{domain}") == "first"
    assert await shown(web, f"next.{domain}") == "newer preview"
    assert await shown(web, httpx.URL(older["url"]).host) == "older preview"


async def test_a_rollback_shows_at_once(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await create_project(api)
    first = await deploy(api, {"/index.html": "first"})
    await deploy(api, {"/index.html": "second"})
    assert await shown(web, "localhost") == "second"
    result(await api.post(f"{PROJECTS}/{SITE_PROJECT}/deployments/{first['id']}/rollback"))
    assert await shown(web, "localhost") == "first"


async def test_a_custom_domain_shows_production_once_it_is_active(
    api: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await create_project(api)
    await deploy(api, {"/index.html": "live"})
    host = f"app.{ZONE}"
    result(await api.post(f"{PROJECTS}/{SITE_PROJECT}/domains", json={"name": host}))
    pending = await web.get("/", headers={"host": host})
    assert pending.status_code == 404
    assert f"{host} is pending" in pending.text
    record = {"type": "CNAME", "name": host, "content": f"{SITE_PROJECT}.pages.dev"}
    result(await api.post(f"/zones/{ZONE_ID}/dns_records", json=record))
    assert await shown(web, host) == "live"


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("localhost", "has no production deployment; deploy a site to it"),
        ("none.pages.dev", "there is no Pages project 'none'"),
        (f"next.{SITE_PROJECT}.pages.dev", "has no deployment or alias 'next'"),
        ("elsewhere.test", "is no custom domain of a Pages project"),
    ],
)
async def test_where_nothing_is_the_page_says_why(
    api: httpx.AsyncClient, web: httpx.AsyncClient, host: str, reason: str
) -> None:
    await create_project(api)
    response = await web.get("/", headers={"host": host})
    assert response.status_code == 404
    assert reason in response.text
