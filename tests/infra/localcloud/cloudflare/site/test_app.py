import httpx

from tests.infra.localcloud.cloudflare.support import asset_key, create_project, deploy

SITE = {"/index.html": "<h1>home</h1>", "/assets/app.js": "export {}", "/assets/app.css": "body {}"}
RULES = {
    "_headers": "/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n",
    "_redirects": "/old /new 301\n",
}


async def test_files_come_with_type_validator_and_rules(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await create_project(api)
    await deploy(api, SITE, rules=RULES)
    home = await web.get("/clips/7?tab=crop")
    assert (home.status_code, home.text) == (200, "<h1>home</h1>")
    assert home.headers["content-type"] == "text/html; charset=utf-8"
    assert home.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert home.headers["etag"] == f'"{asset_key("<h1>home</h1>")}"'
    script = await web.get("/assets/app.js")
    assert script.headers["content-type"] == "application/javascript"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    moved = await web.get("/old?x=1")
    assert (moved.status_code, moved.headers["location"]) == (301, "/new?x=1")


async def test_a_validator_saves_the_body(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await create_project(api)
    await deploy(api, SITE)
    tag = (await web.get("/")).headers["etag"]
    again = await web.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_rule_files_are_no_pages(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await create_project(api)
    await deploy(api, SITE, rules=RULES)
    assert (await web.get("/_headers")).text == "<h1>home</h1>"


async def test_other_methods_are_refused(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await create_project(api)
    await deploy(api, SITE)
    assert (await web.post("/")).status_code == 405
