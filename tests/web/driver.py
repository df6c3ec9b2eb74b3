"""Drives the page as a person does, by labels and roles; for this room's tests and for the whole system's."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

PLAY_REEL = """async (video) => {
  video.muted = true;
  await video.play();
  while (video.currentTime < Math.min(0.15, video.duration / 2)) await new Promise((done) => setTimeout(done, 20));
  video.pause();
  return {
    reel_src: video.currentSrc,
    width: video.videoWidth,
    height: video.videoHeight,
    duration_s: video.duration,
    played_s: video.currentTime,
  };
}"""


async def sign_in(page: Page, app_url: str, user: str = "a") -> None:
    """Opens the page as `user`; resolves once the API has said who that is."""
    await page.goto(app_url)
    await page.get_by_label("User id").fill(user)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_test_id("user")).to_have_text(user)


async def choose_video(page: Page, video: Path) -> None:
    await page.get_by_label("Choose a video").set_input_files(video)


async def upload(page: Page, video: Path, timeout_s: float = 120) -> None:
    """Uploads `video`; resolves once it has been read and can be cut."""
    await choose_video(page, video)
    await expect(page.get_by_test_id("media-ready")).to_have_text(video.name, timeout=timeout_s * 1000)


async def start_render(page: Page, seconds: tuple[float, float] | None = None) -> None:
    """Orders a reel of [in, out) seconds, by default of what the form offers."""
    if seconds is not None:
        await page.get_by_label("Start (seconds)").fill(str(seconds[0]))
        await page.get_by_label("End (seconds)").fill(str(seconds[1]))
    await page.get_by_role("button", name="Make the reel").click()


async def play_reel(page: Page, timeout_s: float = 300, *, after: int = 0) -> dict[str, Any]:
    """Waits for the newest reel and plays it: what the <video> says, and where the download leads.

    `after`: how many renders the page showed before this one was ordered.
    """
    exports = page.get_by_test_id("export")
    await expect(exports).not_to_have_count(after)
    export = exports.first
    await expect(export).to_have_attribute("data-status", "complete", timeout=timeout_s * 1000)
    video = export.get_by_test_id("reel-video")
    await expect(video).to_be_visible()
    played: dict[str, Any] = await video.evaluate(PLAY_REEL)
    link = export.get_by_role("link", name="Download")
    return played | {
        "facts": await export.get_by_test_id("reel-facts").inner_text(),
        "download_url": await link.get_attribute("href"),
        "download_filename": await link.get_attribute("download"),
    }


async def upload_and_render(
    page: Page,
    app_url: str,
    video: Path,
    *,
    user: str = "a",
    seconds: tuple[float, float] | None = None,
    timeout_s: float = 300,
) -> dict[str, Any]:
    """The whole way from a file to a playing reel.

    Returns reel_src, width, height, duration_s, played_s (as the <video> element has them), facts (the line beside
    it), download_url and download_filename.
    """
    await sign_in(page, app_url, user)
    await upload(page, video, timeout_s)
    await start_render(page, seconds)
    return await play_reel(page, timeout_s)
