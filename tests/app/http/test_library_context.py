"""What the library is told of a request, and what the client and the log are told of the library."""

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from app.http import request_log
from app.library.context import SyncStatus, begin_report, current_report, report_sync
from app.library.errors import StaleSessionError
from tests.app.backend import Backend
from tests.app.http.test_problems import check

PAGE = {"origin": "http://localhost:5173"}
TOLD = ("x-sync-status", "x-library-version", "age")


def route(backend: Backend, work: Callable[[], object]) -> None:
    """`/api/probe` does `work`."""

    async def endpoint() -> Any:
        return work()

    backend.app.add_api_route("/api/probe", endpoint, methods=["GET", "HEAD", "POST", "DELETE"])


def told(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers[name] for name in TOLD if name in response.headers}


@pytest.mark.parametrize(("method", "may"), [("GET", True), ("HEAD", True), ("POST", False), ("DELETE", False)])
async def test_only_reads_may_be_stale(backend: Backend, method: str, may: bool) -> None:
    permitted: list[tuple[bool, int | None]] = []

    def note() -> None:
        report = current_report()
        assert report is not None
        permitted.append((report.may_be_stale, report.seen_version))

    route(backend, note)
    await backend.client.call(method, "/api/probe", 200, X_Library_Version="41")
    await backend.client.call(method, "/api/probe", 200)
    assert permitted == [(may, 41), (may, None)]


@pytest.mark.parametrize("version", ["", "-1", "1.5", "one", "1, 2", "١", "1" * 17])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_strange_version_is_400_for_reads_too(backend: Backend, method: str, version: str) -> None:
    headers = [(b"x-library-version", version.encode())]
    response = await backend.client.http.request(method, "/api/games", headers=headers)
    check(response, 400, "bad_request")


async def test_the_longest_version_is_taken(backend: Backend) -> None:
    await backend.client.get("/api/games", X_Library_Version="9" * 16)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], {}),
        ([(0.0, 7, "synced", None)], {"x-sync-status": "synced", "x-library-version": "7"}),
        ([(0.1, 7, "stale", 12.9)], {"x-sync-status": "stale", "x-library-version": "7", "age": "12"}),
        ([(0.1, None, "stale", None)], {"x-sync-status": "stale"}),
        (
            [(0.1, 7, "stale", 3), (0.1, 7, "synced", None)],
            {"x-sync-status": "stale", "x-library-version": "7", "age": "3"},
        ),
        (
            [(0.1, 7, "stale", 9), (0.1, 7, "stale", 3)],
            {"x-sync-status": "stale", "x-library-version": "7", "age": "9"},
        ),
        ([(0.1, 7, "synced", None), (0.1, 8, "synced", None)], {"x-sync-status": "synced", "x-library-version": "8"}),
        ([(0.1, 7, "synced", None), (0.1, None, None, None)], {}),
    ],
)
async def test_the_answer_tells_how_fresh_it_is(
    backend: Backend, reports: list[tuple[float, int | None, SyncStatus | None, float | None]], expected: dict[str, str]
) -> None:
    def report() -> None:
        for each in reports:
            report_sync(*each)

    route(backend, report)
    assert told(await backend.client.http.get("/api/probe")) == expected


async def test_the_page_may_read_and_send_these_headers(backend: Backend) -> None:
    response = await backend.client.http.get("/api/games", headers=PAGE)
    assert set(TOLD) | {"retry-after"} <= set(response.headers["access-control-expose-headers"].split(", "))
    sent = "idempotency-key,x-library-version,x-session-id"
    asked = {"access-control-request-method": "POST", "access-control-request-headers": sent}
    assert (await backend.client.http.options("/api/games", headers=PAGE | asked)).status_code == 200


@pytest.mark.parametrize(("committed_by", "committed_at"), [("tab-2", "2026-09-12T10:00:00Z"), (None, None)])
async def test_a_stale_session_learns_who_was_first(
    backend: Backend, committed_by: str | None, committed_at: str | None
) -> None:
    def refuse() -> None:
        report_sync(0.1, None, "stale")
        raise StaleSessionError(8, committed_by=committed_by, committed_at=committed_at)

    route(backend, refuse)
    response = await backend.client.http.post("/api/probe")
    problem = check(response, 409, "stale_session")
    assert problem["title"] == "Session stale"
    members = {"current_version": 8, "committed_by": committed_by, "committed_at": committed_at}
    assert {name: problem[name] for name in members} == members
    assert told(response) == {"x-sync-status": "stale"}


async def test_requests_at_the_same_time_have_reports_of_their_own(backend: Backend) -> None:
    both = asyncio.Barrier(2)

    async def endpoint(version: int) -> None:
        report_sync(0.1, version, "synced")
        await both.wait()

    backend.app.add_api_route("/api/both", endpoint)
    asked = (backend.client.http.get(f"/api/both?version={version}") for version in (3, 4))
    assert [response.headers["x-library-version"] for response in await asyncio.gather(*asked)] == ["3", "4"]


def test_outside_a_request_nothing_is_reported() -> None:
    assert current_report() is None
    report_sync(0.1, 1, "synced")
    assert current_report() is None


async def test_a_report_is_of_the_task_that_began_it() -> None:
    async def job() -> object:
        inherited = current_report()
        report_sync(0.1, 9, "stale", 3)
        begin_report(seen_version=4)
        return inherited

    report = begin_report(may_be_stale=True, seen_version=3)
    report_sync(0.1, 7, "synced")
    assert await asyncio.create_task(job()) is None
    assert current_report() is report
    assert (report.seconds, report.version, report.status, report.age_s) == (0.1, 7, "synced", None)


@pytest.mark.parametrize(
    ("seconds", "warned"), [(0.5, []), (0.65, ["[SLOW DB SYNC] POST /api/probe - sync took 0.65s"])]
)
async def test_a_sync_above_500_ms_is_warned_of(
    backend: Backend, caplog: pytest.LogCaptureFixture, seconds: float, warned: list[str]
) -> None:
    route(backend, lambda: report_sync(seconds, 1, "synced"))
    await backend.client.post("/api/probe", None, 200)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == warned


async def test_a_sync_of_a_request_that_breaks_is_warned_of_too(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        report_sync(0.65, None, None)
        raise RuntimeError("the inner reason")

    route(backend, broken)
    await backend.client.post("/api/probe", None, 500)
    assert "[SLOW DB SYNC] POST /api/probe - sync took 0.65s" in caplog.messages


@pytest.mark.parametrize(
    ("seconds", "warned"), [(2.0, []), (5.23, ["[SLOW REQUEST] POST /api/probe - total 5.23s (sync: 0.45s)"])]
)
async def test_a_request_above_2_s_is_warned_of(
    backend: Backend,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    warned: list[str],
) -> None:
    route(backend, lambda: report_sync(0.45, 1, "synced"))
    clock = SimpleNamespace(perf_counter=iter((0.0, seconds)).__next__)
    monkeypatch.setattr(request_log, "time", clock)
    await backend.client.post("/api/probe", None, 200)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == warned
