"""A stack in order passes; for every row one thing is broken, and exactly that row fails."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Scope

from app.jobs.job import Outcome
from gpu.contract import MediaError
from infra.deploy.errors import DeployError
from infra.deploy.verify import cleanup, recording
from infra.deploy.verify.visit import FOREIGN_ORIGIN
from tests.app.waiting import until
from tests.infra.deploy.verify.conftest import verified
from tests.infra.deploy.world import World

BROKEN = JSONResponse({"detail": "broken on purpose"}, 500)
Break = Callable[[World, pytest.MonkeyPatch], dict[str, Any] | None]


async def test_a_stack_in_order_passes_every_row_and_nothing_stays(stack: World) -> None:
    report = await verified(stack)
    assert report.failed == [], "\n".join(row.shown() for row in report.rows)
    assert {row.state for row in report.rows} == {"ok"}
    assert [row.name for row in report.rows] == [
        "DNS 127.0.0.1",
        "health",
        "version",
        "readiness",
        "web app",
        "web app's API",
        "landing page",
        "CORS API, own origin",
        "CORS API, foreign origin",
        "identity",
        "WebSocket, own origin",
        "WebSocket, foreign origin",
        "export kinds",
        "leftovers",
        "CORS bucket, own origin",
        "CORS bucket, foreign origin",
        "recording",
        "upload",
        "probe",
        "clip",
        "export extract",
        "progress extract",
        "download extract",
        "export framing",
        "progress framing",
        "download framing",
        "cleanup",
    ]
    assert set((await stack.stored("dev-development")).values()) == {0}
    assert await stack.keys() == []


async def test_without_a_token_a_development_stack_is_verified_as_smoke(stack: World) -> None:
    report = await verified(stack, verify_token=None)
    assert report.failed == [], "\n".join(row.shown() for row in report.rows)
    assert "GET /api/me" in stack.api.requests
    assert next(row.said for row in report.rows if row.name == "identity") == "smoke in development"


def _health(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("GET", "/api/health", BROKEN)


def _another_service(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("GET", "/api/health", JSONResponse({"status": "fine"}))


def _version(stack: World, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"version": "another"}


def _readiness(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.available = False


def _page(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.site.answer("GET", "/", PlainTextResponse("nothing here yet"), times=1)


def _page_missing(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.site.answer("GET", "/", PlainTextResponse("", 404), times=1)


def _page_of_another_stack(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.config = {"apiUrl": "https://api.elsewhere.example"}


def _page_of_its_own_origin(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.config = {"apiUrl": ""}


def _page_without_config(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.site.answer("GET", "/config.json", Response("<!doctype html>", media_type="text/html"))


def _landing(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.site.answer("GET", "/landing", PlainTextResponse("", 404))


def _api_own(stack: World, _: pytest.MonkeyPatch) -> None:
    def strip(headers: dict[str, str], origin: str) -> None:
        if origin == stack.app_url:
            headers.pop("access-control-allow-origin", None)

    stack.api.change_headers(strip)


def _api_foreign(stack: World, _: pytest.MonkeyPatch) -> None:
    def allow(headers: dict[str, str], origin: str) -> None:
        if origin == FOREIGN_ORIGIN:
            headers["access-control-allow-origin"] = origin

    stack.api.change_headers(allow)


def _api_foreign_for_requests_only(stack: World, _: pytest.MonkeyPatch) -> None:
    def allow(headers: dict[str, str], origin: str) -> None:
        if origin == FOREIGN_ORIGIN and "content-type" in headers and "json" in headers["content-type"]:
            headers["access-control-allow-origin"] = "*"

    stack.api.change_headers(allow)


def _wrong_token(stack: World, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"verify_token": "x" * 40}


def _hidden_token(stack: World, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"verify_token": "[secret]"}


def _another_user(stack: World, _: pytest.MonkeyPatch) -> None:
    me = {"user_id": "a", "profile_id": "default", "environment": "development"}
    stack.api.answer("GET", "/api/me", JSONResponse(me))


def _socket_own(stack: World, _: pytest.MonkeyPatch) -> None:
    def refuse(scope: Scope, message: Message) -> Message:
        mine = dict(scope["headers"]).get(b"origin", b"").decode() == stack.app_url
        return {**message, "code": 4403} if mine and message["type"] == "websocket.close" else message

    stack.api.change_socket(refuse)


def _socket_foreign(stack: World, _: pytest.MonkeyPatch) -> None:
    def forget(scope: Scope) -> None:
        if scope["type"] == "websocket":
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"origin"]

    stack.api.change_scope(forget)


def _no_kinds(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("GET", "/api/openapi.json", JSONResponse({"paths": {}}))


def _leftovers(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("GET", "/api/reels", BROKEN, times=1)


def _bucket_own(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.allow("https://elsewhere.example")


def _bucket_hides_etag(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.allow(stack.app_url, expose=())


def _bucket_foreign(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.allow("*")


def _recording(stack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise DeployError("python -m gpu.sample failed (exit 1)")

    monkeypatch.setattr(recording, "run", fail)


def _complete(path: str) -> bool:
    return path.endswith("/complete")


def _upload(stack: World, _: pytest.MonkeyPatch) -> None:
    def misdirect(scope: Scope) -> None:
        if scope["type"] == "http" and _complete(scope["path"]):
            scope["path"] = "/api/nowhere"

    stack.api.change_scope(misdirect)


def _probe(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.probe_error = MediaError(code="not_a_video", message="this is no video")


def _clip(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("POST", "/api/games", BROKEN)


def _framing(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.broken_kinds = {"framing"}


def _extract(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.broken_kinds = {"extract"}


def _progress_without_snapshot(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.change_socket(lambda scope, message: None if '"snapshot"' in str(message.get("text", "")) else message)


def _progress_without_end(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.change_socket(
        lambda scope, message: None if '"type":"complete"' in str(message.get("text", "")) else message
    )


def _progress_that_falls(stack: World, _: pytest.MonkeyPatch) -> None:
    def fall(scope: Scope, message: Message) -> Message:
        if '"type":"complete"' not in str(message.get("text", "")):
            return message
        said = json.loads(message["text"])
        said["export"]["frames_done"] = -1
        return {**message, "text": json.dumps(said)}

    stack.api.change_socket(fall)


def _fewer_frames(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.frames = 59


def _not_a_video(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.video = b"this is no video"


def _other_bytes(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.renderer.sha256 = "0" * 64


def _rows_stay(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("DELETE", "/api/media", Response(status_code=204))


def _deleting_fails(stack: World, _: pytest.MonkeyPatch) -> None:
    stack.api.answer("DELETE", "/api/media", BROKEN)


def _bytes_stay(stack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> Outcome:
        return Outcome.DONE

    monkeypatch.setattr("app.exports.purging.RenderPurge.run", nothing)
    monkeypatch.setattr(cleanup, "BYTES_TIMEOUT_S", 0.5)


@pytest.mark.parametrize(
    ("broken", "rows", "reason"),
    [
        (_health, ["health"], "answered 500"),
        (_another_service, ["health"], "does not answer as this backend does"),
        (_version, ["version"], "the outputs say another"),
        (_readiness, ["readiness"], "answered 503"),
        (_page, ["web app"], "does not serve the web app"),
        (_page_missing, ["web app"], "answered 404"),
        (_page_of_another_stack, ["web app's API"], "https://api.elsewhere.example"),
        (_page_of_its_own_origin, ["web app's API"], "its own origin"),
        (_page_without_config, ["web app's API"], "does not say which API"),
        (_landing, ["landing page"], "answered 404"),
        (_api_own, ["CORS API, own origin"], "allowed origin: None"),
        (_api_foreign, ["CORS API, foreign origin"], "was allowed"),
        (_api_foreign_for_requests_only, ["CORS API, foreign origin"], "GET health"),
        (_wrong_token, ["identity"], "does not take the outputs' verify_token"),
        (_hidden_token, ["identity"], "pulumi stack output --json --show-secrets"),
        (_another_user, ["identity"], "takes this run for 'a'"),
        (_socket_own, ["WebSocket, own origin"], "closed with 4403"),
        (_socket_foreign, ["WebSocket, foreign origin"], "closed with 4404"),
        (_no_kinds, ["export kinds"], "which kinds of export"),
        (_leftovers, ["leftovers"], "broken on purpose"),
        (_bucket_own, ["CORS bucket, own origin"], "allowed origin: None"),
        (_bucket_hides_etag, ["CORS bucket, own origin"], "ETag"),
        (_bucket_foreign, ["CORS bucket, foreign origin"], "was allowed"),
        (_recording, ["recording"], "gpu.sample failed"),
        (_upload, ["upload"], "answered 404"),
        (_probe, ["probe"], "this is no video"),
        (_clip, ["clip"], "broken on purpose"),
        (_framing, ["export framing"], "the media function broke"),
        (_extract, ["export extract"], "the media function broke"),
        (_progress_without_snapshot, ["progress extract", "progress framing"], "not with a snapshot"),
        (_progress_without_end, ["progress extract", "progress framing"], "not with complete"),
        (_progress_that_falls, ["progress extract", "progress framing"], "fell"),
        (_fewer_frames, ["download extract", "download framing"], "60 frames of 1080x1920, the reel claims 59"),
        (_not_a_video, ["download extract", "download framing"], "no MP4"),
        (_other_bytes, ["download extract", "download framing"], "are not those of reel"),
        (_rows_stay, ["cleanup"], "still there after the clean-up: 3 media"),
        (_deleting_fails, ["cleanup"], "broken on purpose"),
        (_bytes_stay, ["cleanup"], "a file of a deleted row is still there"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
async def test_exactly_the_broken_thing_fails(
    stack: World, monkeypatch: pytest.MonkeyPatch, broken: Break, rows: list[str], reason: str
) -> None:
    changes = broken(stack, monkeypatch) or {}
    report = await verified(stack, **changes)
    table = "\n".join(row.shown() for row in report.rows)
    assert report.failed == rows, table
    assert all(reason in row.said for row in report.rows if row.name in rows), table
    if "cleanup" not in rows:
        stack.api.interferences.clear()
        assert set((await stack.stored("dev-development")).values()) == {0}, table
        assert await stack.keys() == [], table


async def test_a_kind_that_verify_cannot_ask_for_is_a_failed_row(stack: World) -> None:
    overlay = {"type": "object", "properties": {"kind": {"const": "overlay"}}}
    refs = [{"$ref": "#/components/schemas/Framing"}, overlay, {"properties": {"kind": {"enum": ["extract"]}}}]
    body = {"content": {"application/json": {"schema": {"oneOf": refs}}}}
    framing = {"properties": {"kind": {"const": "framing", "type": "string"}}}
    schema = {
        "paths": {"/api/exports": {"post": {"requestBody": body}}},
        "components": {"schemas": {"Framing": framing}},
    }
    stack.api.answer("GET", "/api/openapi.json", JSONResponse(schema))
    report = await verified(stack)
    assert report.failed == ["export overlay"]
    assert "verify cannot ask for" in next(row.said for row in report.rows if row.name == "export overlay")


async def test_a_stack_that_is_not_development_needs_its_token(stack: World) -> None:
    stack.api.answer("GET", "/api/me", JSONResponse({"detail": "sign in first"}, 401))
    report = await verified(stack, verify_token=None)
    assert report.failed == ["identity"]
    assert "--show-secrets" in next(row.said for row in report.rows if row.name == "identity")


async def test_rows_that_could_not_be_tried_are_not_called_ok(stack: World) -> None:
    stack.renderer.probe_error = MediaError(code="not_a_video", message="this is no video")
    report = await verified(stack)
    untried = {row.name for row in report.rows if row.state == "-"}
    assert {"clip", "export framing", "progress framing", "download framing", "export extract"} <= untried


async def test_what_a_killed_run_left_is_removed_first(stack: World) -> None:
    """A run that ends in the middle without its clean-up, then a whole one."""
    stack.renderer.gate.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleanup, "cleanup", _skipped)
        running = asyncio.create_task(verified(stack))
        await until(partial(_exporting, stack), 0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    left = await stack.stored("x")
    assert min(left["media"], left["games"], left["exports"]) > 0
    stack.renderer.gate.set()
    report = await verified(stack)
    assert report.failed == []
    assert "of an earlier run removed" in next(row.said for row in report.rows if row.name == "leftovers")
    assert await stack.keys() == []


async def _exporting(stack: World) -> bool:
    return (await stack.stored("x"))["exports"] > 0


async def _skipped(_: Any) -> str:
    return "skipped"


async def test_an_interrupted_run_still_removes_what_it_made(stack: World) -> None:
    stack.renderer.gate.clear()
    running = asyncio.create_task(verified(stack))
    await until(partial(_exporting, stack), 0.05)
    running.cancel()
    [ended] = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
    assert set((await stack.stored("x")).values()) == {0}
    assert await stack.keys() == []


async def test_data_of_others_is_not_touched(stack: World) -> None:
    async with httpx.AsyncClient(base_url=stack.api_url, headers={"X-User-ID": "a"}, timeout=60) as client:
        new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": 3}
        assert (await client.post("/api/media", json=new)).status_code == 201
    assert (await verified(stack)).failed == []
    assert (await stack.stored("a", token=False))["media"] == 1
