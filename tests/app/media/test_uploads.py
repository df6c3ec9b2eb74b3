from datetime import timedelta
from typing import Any

import pytest

from app.kit import clock
from app.media import store
from app.storage.parts import BASE_PART_BYTES
from gpu.contract import MediaError, ProbeResponse
from tests.app.backend import VIDEO, Backend
from tests.app.scripted_renderer import PROBE

NEW = {"filename": "First half.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}


async def started(backend: Backend, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await backend.client.post("/api/media", {**NEW, **changes})
    return answer


def path(upload: dict[str, Any], end: str) -> str:
    return f"/api/media/{upload['media']['id']}/{end}"


def parts(*etags: str) -> dict[str, Any]:
    return {"parts": [{"part_number": number, "etag": etag} for number, etag in enumerate(etags, 1)]}


async def test_an_upload_begins_with_its_first_urls(backend: Backend) -> None:
    answer = await started(backend, size_bytes=BASE_PART_BYTES * 30 + 5)
    upload = answer["upload"]
    assert (upload["part_size_bytes"], upload["part_count"]) == (BASE_PART_BYTES, 31)
    assert [part["part_number"] for part in upload["parts"]] == list(range(1, 21))
    assert {part["size_bytes"] for part in upload["parts"]} == {BASE_PART_BYTES}
    assert upload["expires_at"].endswith("Z")
    assert answer["media"]["status"] == "uploading"
    assert answer["media"]["probe"] is None
    later = await backend.client.post(path(answer, "part-urls"), {"part_numbers": [31, 2]}, 200)
    assert [(part["part_number"], part["size_bytes"]) for part in later["parts"]] == [(31, 5), (2, BASE_PART_BYTES)]


async def test_parts_that_do_not_exist_have_no_url(backend: Backend) -> None:
    answer = await started(backend)
    problem = await backend.client.post(path(answer, "part-urls"), {"part_numbers": [2]}, 422)
    assert problem["errors"][0]["field"] == "part_numbers"
    for numbers in ([], [0], [10001], list(range(1, 102))):
        await backend.client.post(path(answer, "part-urls"), {"part_numbers": numbers}, 422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size_bytes", 0),
        ("size_bytes", 50 * 10**9 + 1),
        ("size_bytes", 1.5),
        ("content_type", "text/html"),
        ("content_type", "video/mp4; a=b"),
        ("content_type", "video/"),
        ("filename", ""),
        ("filename", "../a.mp4"),
        ("filename", "a\nb.mp4"),
        ("filename", "x" * 256),
    ],
)
async def test_what_is_no_video_upload_is_refused(backend: Backend, field: str, value: Any) -> None:
    problem = await backend.client.post("/api/media", {**NEW, field: value}, 422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert backend.memory.uploads.open == {}


async def test_a_completed_upload_is_probed_and_ready(backend: Backend) -> None:
    media = await backend.uploaded()
    assert media["probe"] == PROBE.model_dump()
    assert (await backend.client.get("/api/media"))["items"] == [media]
    url = await backend.client.get(f"/api/media/{media['id']}/url")
    assert url["url"].startswith("memory://get/development/users/a/profiles/default/media/")


async def test_the_first_answer_to_complete_is_probing(backend: Backend) -> None:
    backend.renderer.unavailable = True
    answer = await started(backend)
    etag = backend.put_part(answer, VIDEO)
    media = await backend.client.post(path(answer, "complete"), parts(f'"{etag}"'), 200)
    assert media["status"] == "probing"


async def test_completing_again_after_a_lost_answer_is_fine(backend: Backend) -> None:
    answer = await started(backend)
    etag = backend.put_part(answer, VIDEO)
    await backend.client.post(path(answer, "complete"), parts(etag), 200)
    await backend.client.post(path(answer, "complete"), parts(etag), 200)
    await backend.media_becomes(answer["media"]["id"], "ready")
    assert (await backend.client.post(path(answer, "complete"), parts(etag), 200))["status"] == "ready"


async def test_a_crash_between_joining_and_committing_is_recovered(backend: Backend) -> None:
    answer = await started(backend)
    etag = backend.put_part(answer, VIDEO)
    upload_id = next(iter(backend.memory.uploads.open))
    key = f"development/users/a/profiles/default/media/{answer['media']['id']}"
    listed = await backend.memory.uploads.parts(key, upload_id)
    await backend.memory.uploads.complete(key, upload_id, listed)
    media = await backend.client.post(path(answer, "complete"), parts(etag), 200)
    assert media["status"] in ("probing", "ready")


async def test_wrong_parts_are_named_and_the_upload_stays_open(backend: Backend) -> None:
    size = BASE_PART_BYTES + 4
    answer = await started(backend, size_bytes=size)
    first = backend.put_part(answer, b"a" * BASE_PART_BYTES)
    short = backend.put_part(answer, b"b" * 3, 2)
    for sent, field in (
        (parts(first), "parts"),
        (parts(first, short), "parts[1].part_number"),
        (parts("0" * 32, short), "parts[0].etag"),
        (parts(first, short, "x"), "parts"),
        ({"parts": [{"part_number": 1, "etag": first}] * 2}, "parts"),
    ):
        problem = await backend.client.post(path(answer, "complete"), sent, 422)
        assert problem["code"] == "upload_mismatch"
        assert field in [error["field"] for error in problem["errors"]]
    assert (await backend.client.get(f"/api/media/{answer['media']['id']}"))["status"] == "uploading"
    good = backend.put_part(answer, b"b" * 4, 2)
    await backend.client.post(path(answer, "complete"), parts(first, good), 200)


async def test_part_1_alone_is_not_enough_when_part_2_never_came(backend: Backend) -> None:
    answer = await started(backend, size_bytes=BASE_PART_BYTES + 4)
    first = backend.put_part(answer, b"a" * BASE_PART_BYTES)
    problem = await backend.client.post(path(answer, "complete"), parts(first, "0" * 32), 422)
    assert [error["field"] for error in problem["errors"]] == ["parts[1].part_number"]


async def test_a_cancelled_upload_is_gone(backend: Backend) -> None:
    answer = await started(backend)
    backend.put_part(answer, VIDEO)
    await backend.client.call("DELETE", path(answer, "upload"), 204)
    assert backend.memory.uploads.open == {}
    assert (await backend.client.get("/api/media"))["items"] == []
    await backend.client.call("DELETE", path(answer, "upload"), 404)


async def test_an_upload_that_a_game_waits_for_fails_instead_of_vanishing(backend: Backend) -> None:
    answer = await started(backend)
    game = {"opponent": "R", "played_on": "2026-01-01", "venue": "home", "media_ids": [answer["media"]["id"]]}
    await backend.client.post("/api/games", game)
    await backend.client.call("DELETE", path(answer, "upload"), 204)
    media = await backend.client.get(f"/api/media/{answer['media']['id']}")
    assert (media["status"], media["error"]) == ("failed", "the upload was cancelled")


async def test_a_finished_upload_cannot_be_cancelled(backend: Backend) -> None:
    media = await backend.uploaded()
    problem = await backend.client.call("DELETE", f"/api/media/{media['id']}/upload", 409)
    assert problem["code"] == "upload_closed"


async def test_an_upload_left_open_for_a_week_is_expired(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await started(backend)
    monkeypatch.setattr(store, "now", lambda: clock.now() + timedelta(days=8))
    monkeypatch.setattr("app.media.service.now", lambda: clock.now() + timedelta(days=8))
    assert (await backend.client.get("/api/media"))["items"][0]["status"] == "expired"
    problem = await backend.client.post(path(answer, "part-urls"), {"part_numbers": [1]}, 409)
    assert problem["code"] == "upload_closed"


async def test_media_that_is_not_uploaded_has_no_url(backend: Backend) -> None:
    answer = await started(backend)
    assert (await backend.client.get(path(answer, "url"), 409))["code"] == "media_not_ready"


async def test_a_file_that_is_no_video_fails_with_its_reason(backend: Backend) -> None:
    reason = MediaError(code="not_a_video", message="the file is no video")
    backend.renderer.probe_response = ProbeResponse(error=reason)
    answer = await started(backend)
    etag = backend.put_part(answer, VIDEO)
    await backend.client.post(path(answer, "complete"), parts(etag), 200)
    media = await backend.media_becomes(answer["media"]["id"], "failed")
    assert media["error"] == "the file is no video"
    problem = await backend.client.post(path(answer, "complete"), parts(etag), 409)
    assert problem["code"] == "upload_closed"


async def test_unknown_media_is_404(backend: Backend) -> None:
    for method, end, body in (
        ("GET", "", None),
        ("GET", "/url", None),
        ("POST", "/part-urls", {"part_numbers": [1]}),
        ("POST", "/complete", parts("x")),
        ("DELETE", "/upload", None),
    ):
        problem = await backend.client.call(method, f"/api/media/med_0{end}", 404, body)
        assert problem["code"] == "media_not_found"
