"""The page as a whole: users, size, names of controls."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web import driver
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_each_user_is_asked_for_and_can_sign_out(page: Page, backend: FakeBackend, site: Site) -> None:
    await driver.sign_in(page, site.url, "kim")
    await page.reload()
    await expect(page.get_by_test_id("user")).to_have_text("kim")
    await page.get_by_role("button", name="Sign out").click()

    await expect(page.get_by_label("User id")).to_be_visible()


async def test_the_page_fits_a_phone_and_serves_security_headers(
    page: Page, backend: FakeBackend, site: Site, source: Path
) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    response = await page.goto(site.url)
    assert response is not None
    assert "default-src 'self'" in response.headers["content-security-policy"]
    await driver.upload_and_render(page, site.url, source)

    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


async def test_every_control_has_a_name(page: Page, backend: FakeBackend, site: Site, source: Path) -> None:
    await driver.sign_in(page, site.url)
    await driver.upload(page, source)

    snapshot = await page.locator("body").aria_snapshot()
    for role in ("button", "textbox", "spinbutton", "combobox", "slider", "link"):
        assert f"- {role}\n" not in snapshot
        assert f"- {role}:" not in snapshot
