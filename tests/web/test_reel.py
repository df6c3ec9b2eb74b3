"""From a video to a reel: order, progress, stale session, failure, cancel, list."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web import driver
from tests.web.browser import PageWatch
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


RECORD_VALUES = """(bar) => {
  window.seenValues = [];
  const note = () => window.seenValues.push(Number(bar.getAttribute("aria-valuenow")));
  note();
  new MutationObserver(note).observe(bar, { attributes: true });
}"""


async def open_with_video(page: Page, backend: FakeBackend, site: Site, source: Path) -> None:
    """The page with a video that was uploaded before."""
    media = backend.add_media(source.name, source.read_bytes())
    await driver.sign_in(page, site.url)
    await page.get_by_label("Or use an earlier upload").select_option(media["id"])


async def test_a_video_becomes_a_reel_that_plays_and_downloads(
    page: Page, backend: FakeBackend, site: Site, source: Path, reel_file: bytes
) -> None:
    shown = await driver.upload_and_render(page, site.url, source, seconds=(0.5, 1.5))

    assert backend.storage.objects["media-1"] == source.read_bytes()
    assert (shown["width"], shown["height"]) == (180, 320)
    assert shown["duration_s"] == pytest.approx(2, abs=0.1)
    assert shown["played_s"] > 0
    assert "180×320 · 30 fps · 0:01.0" in shown["facts"]
    async with page.expect_download() as download:
        await page.get_by_test_id("export").get_by_role("link", name="Download").click()
    assert Path(await (await download.value).path()).read_bytes() == reel_file
    await expect(page.get_by_test_id("reel-item")).to_have_count(1)
    clip = backend.rows["clips"]["clips-1"]
    assert (clip["in_frame"], clip["out_frame"]) == (15, 45)
    first, last = backend.rows["projects"]["projects-1"]["clip_edits"][0]["crop_keyframes"]
    assert (first["frame"], last["frame"]) == (0, 29)
    assert first["x"] + last["x"] == pytest.approx(320 - 180 * 9 / 16), "the pan is centred"
    assert first["x"] < last["x"]


async def test_progress_survives_a_lost_connection_and_never_goes_back(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.renders.hold_at = 60
    await open_with_video(page, backend, site, source)
    await driver.start_render(page)
    bar = page.get_by_test_id("export").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "60")

    await bar.evaluate(RECORD_VALUES)
    await backend.renders.tell_late("export-1", 10)
    backend.renders.takes_sockets = False
    await backend.renders.drop_sockets()
    await expect(page.get_by_text("The connection was lost; the render goes on")).to_be_visible()
    await expect(bar).to_have_attribute("aria-valuenow", "60")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await backend.renders.take_sockets()
    await expect(page.get_by_text("The connection was lost; the render goes on")).to_be_hidden()
    await expect(bar).to_have_attribute("aria-valuenow", "60")

    await backend.renders.release()
    assert (await driver.play_reel(page))["played_s"] > 0
    seen = await page.evaluate("window.seenValues")
    assert seen == sorted(seen)


async def test_a_stale_session_is_said_and_one_refresh_goes_on(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.stale_puts = 1
    await open_with_video(page, backend, site, source)
    await driver.start_render(page)
    banner = page.get_by_test_id("stale-banner")
    await expect(banner).to_contain_text("Session stale")
    await banner.get_by_role("button", name="Refresh").click()

    assert (await driver.play_reel(page))["played_s"] > 0
    await expect(banner).to_be_hidden()
    assert [len(backend.rows[kind]) for kind in ("games", "clips", "projects")] == [1, 1, 1]


async def test_a_failed_render_says_why_and_can_be_tried_again(
    page: Page, backend: FakeBackend, site: Site, source: Path
) -> None:
    backend.renders.fail_next = True
    await open_with_video(page, backend, site, source)
    await driver.start_render(page)
    await expect(page.get_by_role("alert")).to_contain_text("The machine was lost.")
    await page.get_by_role("button", name="Render again").click()

    assert (await driver.play_reel(page))["played_s"] > 0


async def test_a_render_can_be_cancelled(page: Page, backend: FakeBackend, site: Site, source: Path) -> None:
    backend.renders.hold_at = 40
    await open_with_video(page, backend, site, source)
    await driver.start_render(page)
    await page.get_by_role("button", name="Cancel render").click()

    await expect(page.get_by_text("The render was cancelled.")).to_be_visible()


async def test_a_reload_finds_the_running_render_and_the_uploaded_video(
    page: Page, backend: FakeBackend, site: Site, source: Path
) -> None:
    backend.renders.hold_at = 50
    await open_with_video(page, backend, site, source)
    await driver.start_render(page)
    await expect(page.get_by_test_id("export")).to_be_visible()
    await page.reload()

    await expect(page.get_by_test_id("export").get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    await page.get_by_label("Or use an earlier upload").select_option("media-1")
    await expect(page.get_by_test_id("media-ready")).to_have_text(source.name)
    await backend.renders.release()
    assert (await driver.play_reel(page))["played_s"] > 0


async def test_earlier_reels_play_from_the_list(page: Page, backend: FakeBackend, site: Site) -> None:
    backend.renders.add_reel("projects-1", frames=60)
    await driver.sign_in(page, site.url)
    item = page.get_by_test_id("reel-item")
    await item.get_by_role("button", name="Play").click()

    played = await item.get_by_test_id("reel-video").evaluate(driver.PLAY_REEL)
    assert (played["width"], played["height"]) == (180, 320)


async def test_wrong_seconds_are_explained_beside_the_field_and_nothing_is_sent(
    page: Page, backend: FakeBackend, site: Site, source: Path
) -> None:
    await open_with_video(page, backend, site, source)
    await driver.start_render(page, seconds=(1, 9))

    await expect(page.get_by_label("End (seconds)")).to_have_accessible_description("The video ends at 2.00 s.")
    assert backend.rows["games"] == {}
