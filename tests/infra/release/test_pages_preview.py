"""The page of a pull request: deployed beside the stack's own, and removed whole."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.deploy.pages import SiteRequest
from infra.localcloud.cloudflare import Cloudflare
from infra.release.errors import ReleaseError
from infra.release.pages_preview import remove, request
from infra.sources import ROOT
from infra.stack_file import config_of
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import (
    ACCOUNT,
    PROJECTS,
    SITE_PROJECT,
    TOKEN,
    create_project,
    deploy,
    result,
)

Handler = Callable[[httpx.Request], httpx.Response]


def test_it_is_a_branch_of_the_project_against_the_stacks_api() -> None:
    made = request(config_of("staging"), 12)
    assert made["branch"] == "pr-12"
    assert made["api_url"] == config_of("staging").api_address
    assert made["project"] == config_of("staging").pages_project


def test_the_deploy_step_takes_it() -> None:
    assert SiteRequest.model_validate(request(config_of("staging"), 12)).folder == "app/web"


def test_it_says_all_that_the_stack_itself_says_about_its_page() -> None:
    """A key that the program starts to pass must be passed here too, but what pins a site or is every step's own."""
    plan = (ROOT / "tests/infra/stacks/staging.json").read_text()
    inputs = [json.loads(text) for text in _texts(json.loads(plan)) if '"folder"' in text and '"app/web"' in text]
    assert inputs
    passed = {key for each in inputs for key in each} - {"site_digest", "answers"}
    assert passed == request(config_of("staging"), 12).keys()


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and value.startswith("{") else []


class Pages:
    """Deployments as Cloudflare lists them: newest first, 25 a page."""

    def __init__(self, branches: list[str]) -> None:
        self.left = {f"id-{number}": branch for number, branch in enumerate(branches)}
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        assert request.headers["Authorization"] == "Bearer token-of-the-test"
        if request.method == "DELETE":
            assert request.url.params["force"] == "true"
            found = self.left.pop(request.url.path.rpartition("/")[2], None)
            return httpx.Response(200 if found else 404, json={"result": None})
        assert request.url.params["env"] == "preview"
        page = int(request.url.params["page"])
        listed = list(self.left.items())[(page - 1) * 25 : page * 25]
        made = [{"id": key, "deployment_trigger": {"metadata": {"branch": branch}}} for key, branch in listed]
        return httpx.Response(200, json={"result": made})


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token-of-the-test")
    client = httpx.Client

    def install(handler: Handler) -> None:
        def with_handler(**options: Any) -> httpx.Client:
            return client(transport=httpx.MockTransport(handler), **options)

        monkeypatch.setattr(httpx, "Client", with_handler)

    return install


def test_every_deployment_of_the_pull_request_goes_and_no_other(answering: Callable[[Handler], None]) -> None:
    pages = Pages(["pr-12", "pr-1", "staging"] * 30)
    answering(pages)
    assert remove(config_of("staging"), 12) == 30
    assert set(pages.left.values()) == {"pr-1", "staging"}
    assert all("/accounts/" in asked and "/reel-ballers-app/" in asked for asked in pages.asked)


def test_a_second_time_removes_nothing(answering: Callable[[Handler], None]) -> None:
    answering(Pages(["staging"]))
    assert remove(config_of("staging"), 12) == 0


def test_one_that_went_meanwhile_is_no_error(answering: Callable[[Handler], None]) -> None:
    pages = Pages(["pr-12"])

    def gone(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            pages.left.clear()
        return pages(request)

    answering(gone)
    assert remove(config_of("staging"), 12) == 1


def test_an_error_of_cloudflare_names_the_call_and_not_the_token(answering: Callable[[Handler], None]) -> None:
    answering(lambda request: httpx.Response(403, json={}))
    with pytest.raises(ReleaseError, match="answered 403 to GET") as raised:
        remove(config_of("staging"), 12)
    assert "token-of-the-test" not in str(raised.value)


def test_no_answer_is_an_error_and_no_success(answering: Callable[[Handler], None]) -> None:
    def nothing(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    answering(nothing)
    with pytest.raises(ReleaseError, match="does not answer: connection refused"):
        remove(config_of("staging"), 12)


async def test_on_the_stand_in_it_leaves_the_stacks_own_deployments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    cloud = Cloudflare(
        state=tmp_path,
        buckets=FakeBuckets(),
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={},
        site_project=SITE_PROJECT,
    )
    await cloud.start()
    try:
        async with httpx.AsyncClient(
            base_url=cloud.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60
        ) as api:
            await create_project(api)
            for branch in ("main", "staging", *["pr-12"] * 3, "pr-1"):
                await deploy(api, {"/index.html": "<h1>home</h1>"}, branch=branch)
            own = {"account_id": ACCOUNT, "pages_project": SITE_PROJECT, "cloudflare_url": cloud.url}
            config = config_of("staging").model_copy(update=own)
            assert await asyncio.to_thread(remove, config, 12) == 3
            left = result(await api.get(f"{PROJECTS}/{SITE_PROJECT}/deployments"))
    finally:
        await cloud.stop()
    branches = [each["deployment_trigger"]["metadata"]["branch"] for each in left]
    assert sorted(branches) == ["main", "pr-1", "staging"]
