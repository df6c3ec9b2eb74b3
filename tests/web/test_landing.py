"""The landing page: static files that need no build, no script and no other machine."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.app.waiting import until_true
from tests.web.browser import PageWatch
from tests.web.site import WEB, Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


RUN_INLINE_SCRIPT = """() => {
  const script = Object.assign(document.createElement("script"), { text: "window.ran = true" });
  document.head.append(script);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def landing() -> AsyncIterator[Site]:
    site = Site(WEB / "landing")
    await site.start()
    yield site
    await site.stop()


@pytest.mark.parametrize("width", [360, 1200])
async def test_it_presents_the_product_and_leads_to_the_app(page: Page, landing: Site, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(landing.url)

    await expect(page.get_by_role("link", name="Make a reel")).to_have_attribute("href", "https://app.reelballers.com")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate("getComputedStyle(document.querySelector('.button-primary')).color") == "rgb(6, 33, 15)"


async def test_an_unknown_address_is_a_404_that_leads_back(page: Page, landing: Site, watch: PageWatch) -> None:
    watch.expects_network_errors = True
    response = await page.goto(f"{landing.url}/no/such/page")
    assert response is not None
    assert response.status == 404
    await page.get_by_role("link", name="Back to the start").click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text("reel")


async def test_the_policy_lets_nothing_run_and_nothing_be_reached(page: Page, landing: Site, watch: PageWatch) -> None:
    response = await page.goto(landing.url)
    assert response is not None
    directives = [each.split() for each in response.headers["content-security-policy"].split("; ")]
    policy = {name: values for name, *values in directives}
    assert policy["default-src"] == ["'self'"]
    closed = ("base-uri", "form-action", "frame-ancestors", "object-src")
    assert {name: policy[name] for name in closed} == {name: ["'none'"] for name in closed}
    assert not [value for values in policy.values() for value in values if "*" in value or "unsafe" in value]

    await page.evaluate(RUN_INLINE_SCRIPT)
    assert await page.evaluate("window.ran") is None
    await until_true(lambda: watch.errors != [])
    [refused] = watch.errors
    assert "Content Security Policy" in refused
    watch.errors.clear()
