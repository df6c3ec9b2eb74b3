"""The page that the stack deployed, in a browser, against the deployed backend: upload, render, play."""

from pathlib import Path

import pytest

from tests.e2e.system import System
from tests.web.browser import PageWatch, chromium
from tests.web.driver import upload_and_render

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.timeout(1800),
]


async def test_a_reel_is_made_and_played_in_the_browser(system: System, first_up: str) -> None:
    sample: Path = system.root / ".local/sample.mp4"
    watch = PageWatch()
    async with chromium() as browser:
        page = await browser.new_page()
        watch.attach(page)
        shown = await upload_and_render(page, system.outputs["app_url"], sample, user="browser", seconds=(1, 3))
    assert (shown["width"], shown["height"]) == (1080, 1920)
    assert shown["duration_s"] == pytest.approx(2, abs=0.05)
    assert shown["played_s"] > 0
    watch.assert_clean()
