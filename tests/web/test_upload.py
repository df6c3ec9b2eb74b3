"""Uploads: parts that fail, resume, mismatch, abort, files that are no video."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web import driver
from tests.web.browser import PageWatch
from tests.web.fake.backend import FakeBackend
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_parts_that_fail_are_sent_again_and_no_other(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.storage.faults.refuse[2] = 1
    backend.storage.faults.expire[3] = 1
    backend.probe_polls = 2
    await driver.sign_in(page, site.url)
    await driver.upload(page, source)

    assert backend.storage.objects["media-1"] == source.read_bytes()
    assert {number: count for number, count in backend.storage.puts.items() if count > 1} == {2: 2, 3: 2}


async def test_an_upload_that_gave_up_resumes_with_the_missing_part(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.storage.faults.forbid[2] = 1
    await driver.sign_in(page, site.url)
    await driver.choose_video(page, source)
    await page.get_by_role("button", name="Resume upload").click()

    await expect(page.get_by_test_id("media-ready")).to_be_visible()
    assert {number for number, count in backend.storage.puts.items() if count > 1} == {2}
    assert backend.storage.objects["media-1"] == source.read_bytes()


async def test_an_upload_that_does_not_match_is_explained_and_sent_anew(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    backend.mismatches = 1
    await driver.sign_in(page, site.url)
    await driver.choose_video(page, source)
    await expect(page.get_by_role("alert")).to_contain_text("do not match")
    await page.get_by_role("button", name="Resume upload").click()

    await expect(page.get_by_test_id("media-ready")).to_be_visible()
    assert set(backend.storage.puts.values()) == {2}


async def test_an_aborted_upload_leaves_nothing_and_another_can_start(
    page: Page, backend: FakeBackend, site: Site, source: Path, watch: PageWatch
) -> None:
    watch.expects_network_errors = True
    go_on = backend.storage.hold(1)
    await driver.sign_in(page, site.url)
    await driver.choose_video(page, source)
    await page.get_by_role("button", name="Abort upload").click()

    await expect(page.get_by_text("The upload was aborted.")).to_be_visible()
    await backend.until_called("DELETE /api/media/media-1/upload")
    assert (backend.rows["media"], backend.storage.parts) == ({}, {})
    go_on.set()
    await driver.upload(page, source)


async def test_a_file_that_is_no_video_is_refused_in_words(
    page: Page, backend: FakeBackend, site: Site, tmp_path: Path
) -> None:
    fake = tmp_path / "notes.mp4"
    fake.write_bytes(b"no video in here " * 100)
    await driver.sign_in(page, site.url)
    await driver.choose_video(page, fake)

    await expect(page.get_by_role("alert")).to_contain_text("This file is not a video.")
