"""Fixtures: one build, one site and one browser a session; a fake backend and a page for each test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.ports import free_ports
from tests.web.browser import PageWatch, chromium, find_chromium
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site, build
from tests.web.videos import write_video

SOURCE_FRAMES = 60


@dataclass(frozen=True)
class Ports:
    api: int
    storage: int


@pytest.fixture(scope="session")
def ports() -> Ports:
    """The addresses are written beside the built page, so that one pair of ports serves the whole session."""
    return Ports(*free_ports(2))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Path:
    find_chromium()
    target = tmp_path_factory.mktemp("site") / "dist"
    return build(target, f"http://127.0.0.1:{ports.api}", [f"http://127.0.0.1:{ports.storage}"])


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 320x180, in about ten of the fake's parts."""
    return write_video(tmp_path_factory.mktemp("source") / "cup final.mp4", 320, 180, SOURCE_FRAMES)


@pytest.fixture(scope="session")
def reel_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_video(tmp_path_factory.mktemp("reel") / "reel.mp4", 180, 320, SOURCE_FRAMES).read_bytes()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(built: Path) -> AsyncIterator[Site]:
    site = Site(built)
    await site.start()
    yield site
    await site.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def backend(ports: Ports, site: Site, reel_file: bytes) -> AsyncIterator[FakeBackend]:
    backend = FakeBackend(ports.api, ports.storage, site.url, reel_file)
    await backend.start()
    yield backend
    await backend.stop()


@pytest.fixture
def watch() -> PageWatch:
    return PageWatch()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, backend: FakeBackend, watch: PageWatch) -> AsyncIterator[Page]:
    """A page in a profile of its own, that ends without console errors and without a request to another machine."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    page = await context.new_page()
    watch.attach(page)
    yield page
    await context.close()
    watch.assert_clean()
