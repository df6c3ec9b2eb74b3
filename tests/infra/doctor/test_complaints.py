"""A healthy stack has no complaint; each thing that is broken gives exactly its own, with a command that helps."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.deploy.verify import hosts
from infra.deploy.verify.outputs import Outputs
from infra.deploy.verify.visit import FOREIGN_ORIGIN, Visit
from infra.doctor import declared
from infra.doctor.patient import Patient
from tests.infra.deploy.conftest import FACTS
from tests.infra.deploy.world import PAGE, TOKEN, Interfering
from tests.infra.doctor.conftest import CLOUDFLARE_TOKEN, FLY_TOKEN, Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")
Break = Callable[[Ward, pytest.MonkeyPatch], dict[str, Any] | None]
Me = dict[str, str]
ADDRESSES = ("app_url", "api_url", "health_url", "ws_url")
REDEPLOY = 'pulumi config set reel:redeploy "$(date +%s)" -s staging && pulumi up -s staging'
PAGE_AGAIN = "pulumi up -s staging --replace '**::app-deploy'"


async def test_a_healthy_stack_has_no_complaint(ward: Ward) -> None:
    ward.ask_real_modal()
    report, remedies = await ward.examine()
    table = "\n".join(ward.said)
    assert (report.failed, remedies) == ([], {}), table
    assert {row.state for row in report.rows} == {"ok"}, table
    assert [row.name for row in report.rows] == [
        "tool pulumi",
        "tool flyctl",
        "tool node",
        "credentials Cloudflare",
        "credentials Fly",
        "credentials Modal",
        "DNS 127.0.0.1",
        "cold start",
        "machines",
        "machines, image",
        "machines, number",
        "machines, size",
        "health",
        "version",
        "readiness",
        "identity",
        "web app",
        "web app's API",
        "landing page",
        "web app's content",
        "CORS API, own origin",
        "CORS API, foreign origin",
        "WebSocket, own origin",
        "WebSocket, foreign origin",
        "leftovers",
        "Modal functions",
        "isolation, claimed user",
        "isolation, environment",
        "isolation, keys",
        "isolation, other data",
        "CORS bucket, own origin",
        "CORS bucket, foreign origin",
        "recording",
        "upload",
        "probe",
        "clip",
        "export extract",
        "progress extract",
        "cleanup",
    ]
    for secret in (TOKEN, CLOUDFLARE_TOKEN, FLY_TOKEN):
        assert secret not in table
    assert await ward.stack.keys() == []


def _no_pulumi(ward: Ward, _: pytest.MonkeyPatch) -> None:
    (ward.flyctl.folder / "pulumi").unlink()


def _no_flyctl(ward: Ward, _: pytest.MonkeyPatch) -> None:
    (ward.flyctl.folder / "flyctl").unlink()


def _no_node(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    (ward.flyctl.folder / "node").unlink()
    monkeypatch.setattr("infra.doctor.tools.ROOT", Path("/nowhere"))
    monkeypatch.setenv("PATH", f"{ward.flyctl.folder}")


def _no_cloudflare_token(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")


def _old_cloudflare_token(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "revoked")


def _no_fly_token(ward: Ward, _: pytest.MonkeyPatch) -> None:
    _fly_answers(ward, "no-token-status-json")


def _wrong_modal_token(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.ask_real_modal()
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-wrong")


def _fly_answers(ward: Ward, fact: str) -> None:
    ward.status = {}
    ward.flyctl.replies(("status", json.loads((FACTS / "flyctl.json").read_text())[fact]))


def _no_app(ward: Ward, _: pytest.MonkeyPatch) -> None:
    _fly_answers(ward, "missing-app-status-json")


def _no_machines(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.status["Machines"] = []


def _too_few_run(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["services"][0]["min_machines_running"] = 2
    ward.add_machine(id="2", state="stopped")


def _never_wakes(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.add_machine(id="2", state="stopped")
    for machine in ward.status["Machines"]:
        machine["config"]["services"][0]["autostart"] = False


def _half_deployed(ward: Ward, _: pytest.MonkeyPatch) -> dict[str, Any]:
    ward.add_machine(id="2", image_ref={**ward.machine["image_ref"], "digest": "sha256:other"})
    return {"image": ""}


def _stuck(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.add_machine(id="2", state="replacing")


def _ill(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["checks"][0].update(status="critical", output="connection refused")


def _another_image(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["image_ref"]["digest"] = "sha256:other"


def _one_more(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.add_machine(id="2")
    ward.ask_for(machines=1)


def _one_less(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.ask_for(machines=2)


def _smaller(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["guest"]["memory_mb"] = 256


def _more_cpus(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["guest"]["cpus"] = 2


def _faster_cpus(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["guest"]["cpu_kind"] = "performance"


def _another_version(ward: Ward, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"version": "another"}


def _no_name(ward: Ward, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"landing_url": "http://nowhere.invalid"}


def _certificate_ends(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(hosts, "_not_after", lambda host, port: datetime.now(UTC) + timedelta(days=1))
    return {"ws_url": "wss://localhost:1/ws"}


def _another_api(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.config = {"apiUrl": "https://api.elsewhere.example"}


def _serves(site: Interfering, path: str, text: str, **headers: str) -> None:
    """At exactly that path."""

    async def answer(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
        if scope["path"] != path:
            return False
        await HTMLResponse(text, headers=headers)(scope, receive, send)
        return True

    site.interferences.append(answer)


def _page_of_a_hand(ward: Ward, _: pytest.MonkeyPatch) -> None:
    _serves(ward.stack.site, "/", PAGE.replace("<body>", "<body>By hand"))


def _policy_of_a_hand(ward: Ward, _: pytest.MonkeyPatch) -> None:
    _serves(ward.stack.site, "/", PAGE, **{"content-security-policy": "default-src *"})


def _script_of_a_hand(ward: Ward, _: pytest.MonkeyPatch) -> None:
    for site, script in ((ward.stack.site, "other()"), (ward.deployment, "own()")):
        _serves(site, "/", PAGE.replace("<body>", '<body><script src="/assets/page.js"></script>'))
        _serves(site, "/assets/page.js", script)


def _deployment_gone(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.deployment.answer("GET", "/", JSONResponse({}, 404))


def _no_landing(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.site.answer("GET", "/landing", JSONResponse({}, 404))


def _health(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.api.answer("GET", "/api/health", JSONResponse({}, 502))


def _readiness(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.renderer.available = False


def _identity(ward: Ward, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"verify_token": "[secret]"}


def _cors_own(ward: Ward, _: pytest.MonkeyPatch) -> None:
    def strip(headers: dict[str, str], origin: str) -> None:
        if origin == ward.stack.app_url:
            headers.pop("access-control-allow-origin", None)

    ward.stack.api.change_headers(strip)


def _cors_foreign(ward: Ward, _: pytest.MonkeyPatch) -> None:
    def allow(headers: dict[str, str], origin: str) -> None:
        if origin == FOREIGN_ORIGIN:
            headers["access-control-allow-origin"] = origin

    ward.stack.api.change_headers(allow)


def _bucket_own(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.allow("https://elsewhere.example")


def _bucket_foreign(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.allow("*")


def _socket(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.api.change_socket(
        lambda scope, message: {**message, "code": 1011} if message["type"] == "websocket.close" else message
    )


def _open_socket(ward: Ward, _: pytest.MonkeyPatch) -> None:
    def forget(scope: Scope) -> None:
        if scope["type"] == "websocket":
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"origin"]

    ward.stack.api.change_scope(forget)


def _disconnects(ward: Ward, _: pytest.MonkeyPatch) -> None:
    """After the snapshot; the export goes on once it was sent, or a listener might come for the last message only."""
    ward.stack.renderer.gate.clear()

    def cut(scope: Scope, message: Message) -> Message:
        text = str(message.get("text", ""))
        if '"type":"snapshot"' in text:
            ward.stack.renderer.gate.set()
        late = message["type"] == "websocket.send" and '"type":"snapshot"' not in text
        return {"type": "websocket.close", "code": 1012, "reason": "restarted"} if late else message

    ward.stack.api.change_socket(cut)


def _leftovers(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.api.answer("GET", "/api/reels", JSONResponse({}, 500), times=1)


def _no_functions(ward: Ward, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"gpu_app": "reel-ballers"}


def _wrong_modal_environment(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.ask_real_modal()
    ward.machine["config"]["env"]["MODAL_ENVIRONMENT"] = "main"


def _modal_off(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["env"]["MODAL_ENABLED"] = "false"


def _functions_break(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.renderer.broken_kinds = {"extract"}


def _elsewhere(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.machine["config"]["env"]["APP_ENV"] = "production"


def _foreign_urls(ward: Ward, _: pytest.MonkeyPatch) -> None:
    """The URLs that a user gets lead to somebody else's place."""
    url = "https://bucket.example/b/production/users/somebody/profiles/default/media/m"
    ward.stack.api.answer("GET", "/api/media/m/url", JSONResponse({"url": url}))
    lists = iter(("as it is", "foreign"))

    async def second_time(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
        asked = (scope["type"], scope.get("method"), scope["path"]) == ("http", "GET", "/api/media")
        if not asked or next(lists, None) != "foreign":
            return False
        await JSONResponse({"items": [{"id": "m", "status": "ready"}]})(scope, receive, send)
        return True

    ward.stack.api.interferences.append(second_time)


def _bucket_takes_anything(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.localcloud.r2.authentication.hmac.compare_digest", lambda *_: True)


def _cleanup(ward: Ward, _: pytest.MonkeyPatch) -> None:
    ward.stack.api.answer("DELETE", "/api/media", JSONResponse({}, 500))


@pytest.mark.parametrize(
    ("broken", "rows", "remedy"),
    [
        (_no_pulumi, ["tool pulumi"], "pulumi version"),
        (_no_flyctl, ["tool flyctl"], "flyctl version"),
        (_no_node, ["tool node"], "make setup"),
        (_no_cloudflare_token, ["credentials Cloudflare"], "export CLOUDFLARE_API_TOKEN="),
        (_old_cloudflare_token, ["credentials Cloudflare"], "export CLOUDFLARE_API_TOKEN="),
        (_no_fly_token, ["credentials Fly"], "flyctl tokens create deploy -a orbit-api"),
        (_wrong_modal_token, ["credentials Modal"], "export MODAL_TOKEN_ID="),
        (_no_app, ["cold start", "machines"], "pulumi up -s staging"),
        (_no_machines, ["cold start", "machines"], "pulumi up -s staging"),
        (_too_few_run, ["machines"], "flyctl logs -a orbit-api --no-tail"),
        (_never_wakes, ["machines"], "pulumi up -s staging"),
        (_half_deployed, ["machines, image"], "pulumi config set reel:redeploy"),
        (_stuck, ["machines"], "flyctl status -a orbit-api"),
        (_ill, ["machines"], "flyctl logs -a orbit-api --no-tail"),
        (_another_image, ["machines, image"], REDEPLOY),
        (_one_more, ["machines, number"], "pulumi up -s staging --replace '**::backend-scale'"),
        (_one_less, ["machines, number"], "pulumi up -s staging --replace '**::backend-scale'"),
        (_smaller, ["machines, size"], REDEPLOY),
        (_more_cpus, ["machines, size"], REDEPLOY),
        (_faster_cpus, ["machines, size"], REDEPLOY),
        (_another_version, ["version"], REDEPLOY),
        (_no_name, ["DNS nowhere.invalid"], "pulumi up -s staging --refresh"),
        (_certificate_ends, ["certificate localhost:1"], "flyctl certs check localhost -a orbit-api"),
        (_another_api, ["web app's API", "web app's content"], PAGE_AGAIN),
        (_page_of_a_hand, ["web app's content"], PAGE_AGAIN),
        (_policy_of_a_hand, ["web app's content"], PAGE_AGAIN),
        (_script_of_a_hand, ["web app's content"], PAGE_AGAIN),
        (_deployment_gone, ["web app's content"], PAGE_AGAIN),
        (_no_landing, ["landing page"], "pulumi up -s staging --replace '**::landing-deploy'"),
        (_health, ["health"], "flyctl logs -a orbit-api --no-tail"),
        (_readiness, ["readiness"], "/api/ready"),
        (_identity, ["identity"], "pulumi stack output --json --show-secrets -s staging"),
        (_cors_own, ["CORS API, own origin"], "pulumi up -s staging"),
        (_cors_foreign, ["CORS API, foreign origin"], "pulumi up -s staging"),
        (_bucket_own, ["CORS bucket, own origin"], "pulumi up -s staging"),
        (_bucket_foreign, ["CORS bucket, foreign origin"], "pulumi up -s staging"),
        (_open_socket, ["WebSocket, foreign origin"], "pulumi up -s staging"),
        (_disconnects, ["progress extract"], "flyctl status -a orbit-api"),
        (_leftovers, ["leftovers"], "flyctl logs"),
        (_no_functions, ["Modal functions"], ".venv/bin/modal app logs reel-ballers --env"),
        (_wrong_modal_environment, ["Modal functions"], "pulumi up -s staging"),
        (_modal_off, ["Modal functions"], "pulumi up -s staging"),
        (_functions_break, ["export extract"], ".venv/bin/modal app logs sample --env"),
        (_elsewhere, ["isolation, environment"], "pulumi up -s staging"),
        (_foreign_urls, ["isolation, keys"], "flyctl secrets list -a orbit-api"),
        (_bucket_takes_anything, ["isolation, other data"], "flyctl secrets list -a orbit-api"),
        (_cleanup, ["cleanup"], "make doctor STACK=staging"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
async def test_each_complaint_is_its_own_and_has_a_remedy(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, broken: Break, rows: list[str], remedy: str
) -> None:
    report, remedies = await ward.examine(**(broken(ward, monkeypatch) or {}))
    table = "\n".join(ward.said)
    assert report.failed == rows, table
    assert list(remedies) == rows
    assert remedy in remedies[rows[-1]]
    for secret in (TOKEN, CLOUDFLARE_TOKEN, FLY_TOKEN, "as-wrong"):
        assert secret not in table


async def test_sockets_that_close_are_one_complaint_for_each_origin(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    _socket(ward, monkeypatch)
    report, _ = await ward.examine()
    assert report.failed == ["WebSocket, own origin", "WebSocket, foreign origin"]


async def test_without_a_stack_file_what_it_would_say_is_not_compared(ward: Ward) -> None:
    ward.config = None
    report, _ = await ward.examine()
    assert report.failed == []
    said = {row.name: row.said for row in report.rows}
    assert said["machines, number"] == said["machines, size"] == declared.UNKNOWN


@pytest.mark.parametrize(
    ("deployment", "reason"),
    [("http://127.0.0.1:1", "cannot be reached from here"), (None, "the outputs name no pages_deployment")],
)
async def test_a_deployment_that_cannot_be_asked_is_not_compared(
    ward: Ward, deployment: str | None, reason: str
) -> None:
    _page_of_a_hand(ward, ward.monkeypatch)
    report, _ = await ward.examine(pages_deployment=deployment)
    assert report.failed == []
    [row] = [row for row in report.rows if row.name == "web app's content"]
    assert row.said.startswith("not compared: ")
    assert reason in row.said


async def test_a_deployment_behind_a_login_is_not_compared(ward: Ward) -> None:
    ward.deployment.answer("GET", "/", JSONResponse({}, 403))
    report, _ = await ward.examine()
    [row] = [row for row in report.rows if row.name == "web app's content"]
    assert (row.state, row.said.split(": ")[0]) == ("ok", "not compared")


async def test_the_stand_in_of_pages_is_asked_for_the_deployment_by_its_name(ward: Ward) -> None:
    names = []

    async def note(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
        names.append(dict(scope["headers"])[b"host"].decode())
        return False

    ward.deployment.interferences.append(note)
    ward.ask_for(cloudflare_url="http://127.0.0.1:1/client/v4", app_url=ward.values["pages_deployment"])
    report, _ = await ward.examine(pages_deployment="https://0123abcd.orbit-app.pages.dev")
    assert report.failed == []
    assert set(names) == {"0123abcd.orbit-app.pages.dev"}
    ward.ask_for(app_url=None)
    report, _ = await ward.examine(pages_deployment="https://0123abcd.orbit-app.pages.dev")
    [row] = [row for row in report.rows if row.name == "web app's content"]
    assert row.said.endswith("is at another Cloudflare, and the stack file does not say where")


async def test_analytics_at_the_end_of_the_page_are_no_difference(ward: Ward) -> None:
    _serves(ward.stack.site, "/", PAGE.replace("</body>", "</body><script>count()</script>"))
    report, _ = await ward.examine()
    assert report.failed == []


async def test_the_remedies_of_the_local_stack_need_no_pulumi() -> None:
    patient = Patient(
        Visit(Outputs.model_validate(dict.fromkeys(ADDRESSES, "http://127.0.0.1:1")), Path()), "local", is_local=True
    )
    assert {patient.redeploy, patient.refresh, patient.repeat("app-deploy")} == {"make clean && make up"}


async def test_a_stopped_machine_is_timed(ward: Ward) -> None:
    ward.machine["state"] = "stopped"
    report, _ = await ward.examine()
    said = {row.name: row.said for row in report.rows}
    assert "s from stopped machines to the first 200" in said["cold start"]
    assert ward.stack.api.requests[0] == "GET /api/health"


async def test_a_running_machine_says_how_to_measure(ward: Ward) -> None:
    report, _ = await ward.examine()
    [row] = [row for row in report.rows if row.name == "cold start"]
    assert f"flyctl machine stop {ward.machine['id']} -a orbit-api" in row.said


async def test_without_functions_modal_is_no_complaint(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODAL_TOKEN_ID")
    monkeypatch.delenv("MODAL_TOKEN_SECRET")
    report, _ = await ward.examine(gpu_app="")
    assert report.failed == []
    assert "credentials Modal" not in {row.name for row in report.rows}


_STAGING: Me = {"user_id": "dev-staging", "profile_id": "default", "environment": "staging"}


@pytest.mark.parametrize(
    ("believes", "reason"),
    [
        ("headers", "is answered 200, not 401"),
        ("headers beside the token", "becomes somebody-else by a header"),
        ("queries", "claims to be somebody-else is closed with 4404"),
        ("nothing", None),
    ],
)
async def test_outside_development_a_backend_that_believes_a_claim_is_a_complaint(
    ward: Ward, believes: str, reason: str | None
) -> None:
    """The development backend under the name of another environment."""
    ward.machine["config"]["env"]["APP_ENV"] = "staging"

    async def staging(scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> bool:
        if scope["type"] != "http" or scope["path"] not in ("/api/health", "/api/me"):
            return False
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        claimed = {**_STAGING, "user_id": headers.get("x-user-id", "dev-staging")}
        me = claimed if believes == "headers beside the token" else _STAGING
        answer = JSONResponse(me)
        if scope["path"] == "/api/health":
            answer = JSONResponse({"status": "ok", "version": "1", "environment": "staging"})
        elif "authorization" not in headers:
            answer = JSONResponse(claimed) if believes == "headers" else JSONResponse({}, 401)
        await answer(scope, receive, send)
        return True

    def refuse(scope: Scope, message: Message) -> Message:
        claims = b"user=" in scope["query_string"] and message["type"] == "websocket.close"
        return {**message, "code": 4401} if claims and believes != "queries" else message

    ward.stack.api.interferences.append(staging)
    ward.stack.api.change_socket(refuse)
    report, remedies = await ward.examine()
    [row] = [row for row in report.rows if row.name == "isolation, claimed user"]
    if reason is None:
        assert row.state == "ok", row.said
    else:
        assert row.state == "FAIL"
        assert reason in row.said
        assert "reel:environment" in remedies["isolation, claimed user"]
