from typing import Any

import httpx
import pytest

from tests.app.backend import Backend, running_backend


def check(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one shape of errors."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:reel-ballers:problem:{code}"
    assert (body["code"], body["status"]) == (code, status)
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == f"urn:reel-ballers:request:{response.headers['x-request-id']}"
    return body


async def test_unknown_paths_and_methods_are_problems(backend: Backend) -> None:
    check(await backend.client.http.get("/api/nothing"), 404, "not_found")
    response = await backend.client.http.put("/api/health")
    check(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


async def test_each_wrong_field_is_named(backend: Backend) -> None:
    body = {"filename": "a/b", "content_type": "image/png", "size_bytes": 0, "extra": 1}
    problem = check(await backend.client.http.post("/api/media", json=body), 422, "validation_failed")
    assert {error["field"] for error in problem["errors"]} == {"filename", "content_type", "size_bytes", "extra"}
    assert all(error["message"] for error in problem["errors"])


async def test_fields_inside_lists_have_a_path(backend: Backend) -> None:
    body = {"parts": [{"part_number": 1, "etag": "x"}, {"part_number": 0, "etag": "x"}]}
    problem = check(await backend.client.http.post("/api/media/x/complete", json=body), 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == ["parts[1].part_number"]


async def test_a_body_that_is_no_json_is_400(backend: Backend) -> None:
    response = await backend.client.http.post("/api/games", content=b"{", headers={"content-type": "application/json"})
    check(response, 400, "bad_json")


async def test_numbers_that_json_does_not_have_are_refused(backend: Backend) -> None:
    body = b'{"expected_revision": 1, "x": NaN, "y": 0, "width": 9, "height": 16}'
    path = "/api/projects/p/clip-edits/e/crop-keyframes/0"
    response = await backend.client.http.put(path, content=body, headers={"content-type": "application/json"})
    problem = check(response, 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == ["x"]


@pytest.mark.parametrize(("environment", "told"), [({}, True), ({"ENV": "production"}, False)])
async def test_what_broke_inside_is_told_in_development_only(environment: dict[str, str], told: bool) -> None:
    async with running_backend(**environment) as backend:

        async def broken() -> None:
            raise RuntimeError("the inner reason")

        backend.app.add_api_route("/api/broken", broken)
        response = await backend.client.http.get("/api/broken", headers={"origin": "http://localhost:5173"})
        problem = check(response, 500, "internal")
        assert ("the inner reason" in problem["detail"]) is told
        assert response.headers["access-control-allow-origin"] == "http://localhost:5173"


async def test_a_store_that_is_down_is_503_with_retry_after(backend: Backend) -> None:
    backend.memory.objects.fault = lambda call, key: "before"
    response = await backend.client.http.get("/api/games")
    check(response, 503, "storage_unavailable")
    assert response.headers["retry-after"] == "2"
    assert "x-sync-status" not in response.headers
    assert "x-library-version" not in response.headers
