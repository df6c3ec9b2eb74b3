"""The page and a backend that is away, slow to wake, or asleep: the banner, and who is asked how often."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web import driver
from tests.web.browser import PageWatch
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEN_MINUTES_MS = 600_000
PATIENCE_S = 60.0
"""Of the test's clock: what the page waits for besides, the browser does in real time."""
HEALTH = "/api/health"

# What a browser does when a person leaves the tab or comes back to it.
SET_VISIBILITY = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


async def look_away(page: Page) -> None:
    await page.evaluate(SET_VISIBILITY, "hidden")


async def look_again(page: Page) -> None:
    """A page that comes into view asks for what it shows, so that this is also a call."""
    await page.evaluate(SET_VISIBILITY, "visible")


async def until_quiet(page: Page, watch: PageWatch) -> list[str]:
    """Lets minutes pass on the page's clock until two in a row bring no request; answers all requests so far."""
    quiet, deadline = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        before = len(watch.requests)
        await page.clock.run_for(60_000)
        quiet = quiet + 1 if len(watch.requests) == before and not watch.pending else 0
        if quiet == 2:
            return list(watch.requests)
    raise AssertionError(f"the page never stops asking: {watch.requests[-10:]}")


async def until(page: Page, is_so: Callable[[], Awaitable[bool]]) -> None:
    """Lets seconds pass on the page's clock until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if await is_so():
            return
        await page.clock.run_for(5_000)
    raise AssertionError("it never came to be so")


async def test_a_banner_tells_that_the_backend_is_away_and_goes_by_itself(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.renders.hold_at = 50
    await driver.sign_in(page, site.url)
    await driver.upload(page, source)
    await driver.start_render(page)
    await expect(page.get_by_test_id("export").get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")

    await backend.go_away()
    banner = page.get_by_test_id("connection-banner")
    await expect(banner).to_be_visible()
    await expect(page.get_by_test_id("export")).to_have_attribute("data-status", "running")
    await backend.renders.release()
    await backend.come_back()
    await expect(banner).to_be_hidden()

    assert (await driver.play_reel(page))["played_s"] > 0


async def test_an_idle_page_asks_for_nothing_so_that_the_machine_may_sleep(
    page: Page, backend: FakeBackend, site: Site, watch: PageWatch
) -> None:
    await page.clock.install()
    await driver.sign_in(page, site.url)
    sent = await until_quiet(page, watch)
    answered = list(backend.requests)
    await page.clock.run_for(TEN_MINUTES_MS)

    assert watch.requests == sent
    assert backend.requests == answered
    assert HEALTH not in sent


async def test_the_backend_is_probed_after_a_failed_call_until_it_is_back_and_no_longer(
    page: Page, backend: FakeBackend, site: Site, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    await page.clock.install()
    await driver.sign_in(page, site.url)
    await until_quiet(page, watch)
    await backend.go_away()
    await page.clock.run_for(TEN_MINUTES_MS)
    assert HEALTH not in watch.requests

    await look_away(page)
    await look_again(page)
    banner = page.get_by_test_id("connection-banner")
    await until(page, banner.is_visible)

    async def is_probed_again_and_again() -> bool:
        return watch.requests.count(HEALTH) > 3

    await until(page, is_probed_again_and_again)
    await backend.come_back()
    await until(page, banner.is_hidden)
    sent = await until_quiet(page, watch)
    await page.clock.run_for(TEN_MINUTES_MS)
    assert watch.requests == sent


async def test_a_page_out_of_view_leaves_the_backend_alone_and_looks_when_it_is_shown(
    page: Page, backend: FakeBackend, site: Site, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    await page.clock.install()
    await driver.sign_in(page, site.url)
    await until_quiet(page, watch)
    await backend.go_away()
    await look_away(page)
    await look_again(page)
    banner = page.get_by_test_id("connection-banner")
    await until(page, banner.is_visible)
    await look_away(page)
    sent = await until_quiet(page, watch)
    await page.clock.run_for(TEN_MINUTES_MS)
    assert watch.requests == sent

    await backend.come_back()
    await look_again(page)
    await until(page, banner.is_hidden)
