"""The page reads from config.json which API it belongs to, and says so when it cannot."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.web import driver
from tests.web.browser import PageWatch
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CONFIG = re.compile(r"/config\.json$")


async def test_the_page_calls_the_api_that_the_configuration_names(
    page: Page, backend: FakeBackend, site: Site
) -> None:
    answers = []
    page.on("response", lambda response: answers.append(response))
    await driver.sign_in(page, site.url)

    [config] = [answer for answer in answers if CONFIG.search(answer.url)]
    assert config.headers["cache-control"] == "no-store"
    api_url = (await config.json())["apiUrl"]
    assert {answer.url for answer in answers if "/api/" in answer.url} >= {f"{api_url}/api/me"}
    assert "GET /api/me" in backend.requests


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, "<!doctype html><div id=root></div>", "/config.json is missing"),
        (404, "", "/config.json is answered with status 404"),
        (200, '{"api": ""}', '/config.json has no text under "apiUrl"'),
        (200, '{"apiUrl": "api.example.org"}', '"api.example.org", which is no origin'),
    ],
    ids=["answered with the page", "404", "another key", "no origin"],
)
async def test_a_missing_or_wrong_configuration_is_said_on_the_page(
    page: Page, backend: FakeBackend, site: Site, watch: PageWatch, status: int, body: str, reason: str
) -> None:
    watch.expects_network_errors = True
    await page.route(CONFIG, lambda route: route.fulfill(status=status, body=body))
    await page.goto(site.url)
    await expect(page.get_by_role("heading")).to_have_text("Reel Ballers can't start")
    await expect(page.get_by_role("alert")).to_contain_text(reason)
    assert backend.requests == []

    await page.unroute(CONFIG)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_label("User id")).to_be_visible()


async def test_a_configuration_that_comes_at_the_second_try_is_no_error(
    page: Page, backend: FakeBackend, site: Site, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    await page.route(CONFIG, lambda route: route.abort(), times=1)
    await driver.sign_in(page, site.url)

    await expect(page.get_by_role("alert")).to_have_count(0)
