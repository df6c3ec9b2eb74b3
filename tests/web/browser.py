"""Debian's Chromium under Playwright, and a record of what a page did wrong."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 60_000
"""Bounds a hang only: on a busy machine a page takes seconds for what it does in no time."""
LOOPBACK = ("127.0.0.1", "localhost")
NETWORK_NOISE = ("Failed to load resource", "WebSocket connection to", "Access to fetch at", "Access to XMLHttpRequest")


def find_chromium() -> str:
    """Path of a Chromium; without one the test is skipped, or fails where CI=true."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    message = f"no browser: none of {', '.join(NAMES)} is on PATH (on Debian: apt-get install -y chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium, closed at the end; what is expected of its pages is waited for with patience."""
    expect.set_options(timeout=PATIENCE_MS)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class PageWatch:
    """Collects console errors, uncaught errors, and paths of requests; `outside` are addresses off this machine."""

    expects_network_errors: bool = False
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    pending: set[Request] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_request_end)
        page.on("requestfailed", self._on_request_end)
        page.on("websocket", lambda socket: self._on_address(socket.url))

    def assert_clean(self) -> None:
        noise = NETWORK_NOISE if self.expects_network_errors else ()
        assert [error for error in self.errors if not error.startswith(noise)] == []
        assert self.outside == []

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        self.pending.add(request)
        self._on_address(request.url)

    def _on_request_end(self, request: Request) -> None:
        self.pending.discard(request)

    def _on_address(self, url: str) -> None:
        parts = urlsplit(url)
        self.requests.append(parts.path)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOOPBACK:
            self.outside.append(url)
