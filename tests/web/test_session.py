"""Pages of one user that write in turns, against the real backend; and a page that reads while storage is away."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from app.kit.clock import now
from app.storage.port import PresignedUrl, Storage
from infra.localcloud.asgi import AsgiServer
from tests.app.backend import Backend, running_backend
from tests.app.memory_storage import MemoryStorage, PlainUrls
from tests.web import driver
from tests.web.browser import PageWatch
from tests.web.conftest import Ports
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class NoVideos(PlainUrls):
    """Addresses that the page may ask, where nothing is: no video is played here."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, key: str, *, lifetime_s: int, filename: str | None = None) -> PresignedUrl:
        return PresignedUrl(f"http://127.0.0.1:{self._port}/{key}", now() + timedelta(seconds=lifetime_s))


@pytest_asyncio.fixture(loop_scope="session")
async def real(ports: Ports, site: Site) -> AsyncIterator[Backend]:
    """The backend itself, on memory storage, where the page expects it."""
    memory = MemoryStorage()
    memory.storage = Storage(memory.objects, memory.uploads, NoVideos(ports.storage))
    async with running_backend(memory, CORS_ORIGINS=site.url) as backend:
        server = AsgiServer(backend.app, ports.api, websockets=True)
        await server.start()
        yield backend
        await server.stop()


@asynccontextmanager
async def device(browser: Browser, site: Site, media: dict[str, Any]) -> AsyncIterator[Page]:
    """A page of user `a` that has this recording before it."""
    watch = PageWatch(expects_network_errors=True)
    context = await browser.new_context()
    try:
        page = await context.new_page()
        watch.attach(page)
        await driver.sign_in(page, site.url)
        await page.get_by_label("Or use an earlier upload").select_option(media["id"])
        yield page
    finally:
        await context.close()
    watch.assert_clean()


async def made(backend: Backend) -> list[int]:
    """How many games and reels there are."""
    return [len((await backend.client.get(path))["items"]) for path in ("/api/games", "/api/reels")]


async def test_a_page_that_another_one_overtook_says_so_and_writes_after_one_refresh(
    browser: Browser, site: Site, real: Backend
) -> None:
    media = await real.uploaded()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(device(browser, site, media))
        second = await stack.enter_async_context(device(browser, site, media))
        await driver.start_render(first)
        await expect(first.get_by_test_id("export")).to_have_attribute("data-status", "complete")
        assert await made(real) == [1, 1]

        await driver.start_render(second)
        banner = second.get_by_test_id("stale-banner")
        await expect(banner).to_contain_text("Session stale")
        again = second.get_by_role("button", name="Try again")
        async with second.expect_response(lambda response: response.status == 409):
            await again.click()
        assert await made(real) == [1, 1]
        await expect(second.get_by_test_id("reel-item")).to_have_count(0)

        await banner.get_by_role("button", name="Refresh").click()
        await expect(banner).to_be_hidden()
        await expect(second.get_by_test_id("reel-item")).to_have_count(1)
        await again.click()
        await expect(second.get_by_test_id("export").first).to_have_attribute("data-status", "complete")
        assert await made(real) == [2, 2]


async def test_a_page_says_that_storage_is_away_until_it_answers(page: Page, backend: FakeBackend, site: Site) -> None:
    await page.clock.install()
    backend.age_s = 42
    await driver.sign_in(page, site.url)
    notice = page.get_by_text("You see the state of 42 s ago; storage is not answering.")
    await expect(notice).to_be_visible()
    backend.age_s = 52
    await page.clock.run_for(10_000)
    await expect(page.get_by_text("You see the state of 52 s ago")).to_be_visible()
    backend.age_s = None
    await page.clock.run_for(10_000)
    await expect(page.get_by_text("storage is not answering")).to_be_hidden()
