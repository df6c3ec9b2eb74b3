"""Is what was deployed what is served? Asked of a server that can be late, wrong or away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.deploy.errors import DeployError
from infra.deploy.pages.serving import check
from infra.localcloud.asgi import AsgiServer

DEPLOYMENT = "https://1234.site.pages.dev"
PAGE = "<html><body><div id=root></div></body></html>"
POLICY = "default-src 'self'"
CONFIG = '{"apiUrl": "https://api.example.org"}\n'


class Pages:
    """Serves what `answers` says, after `late` answers that there is nothing yet; `hosts` are the names asked for."""

    def __init__(self) -> None:
        self.answers = {"/": PAGE, "/config.json": CONFIG}
        self.headers = {"Content-Security-Policy": POLICY}
        self.late = 0
        self.hosts: list[str] = []
        self._server = AsgiServer(Starlette(routes=[Route("/{path:path}", self._answer)]))

    async def start(self) -> str:
        await self._server.start()
        return self._server.url

    async def stop(self) -> None:
        await self._server.stop()

    async def _answer(self, request: Request) -> Response:
        self.hosts.append(request.headers["host"])
        if self.late:
            self.late -= 1
            return Response("Nothing is here yet", 404)
        return Response(self.answers[request.url.path], headers=self.headers, media_type="text/html")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "_headers").write_text(f"/*\n  Content-Security-Policy: {POLICY}\n")
    (tmp_path / "config.json").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
async def address(pages: Pages) -> AsyncIterator[str]:
    yield await pages.start()
    await pages.stop()


async def ask(site: Path, address: str | None, timeout_s: float = 60) -> None:
    await asyncio.to_thread(check, site, DEPLOYMENT, address, timeout_s=timeout_s)


async def test_a_deployment_is_asked_for_by_its_name(
    site: Path, pages: Pages, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(site, address)
    assert set(pages.hosts) == {"1234.site.pages.dev"}
    assert "answers with what was deployed" in capsys.readouterr().err


async def test_a_deployment_may_take_its_time(site: Path, pages: Pages, address: str) -> None:
    pages.late = 2
    await ask(site, address)
    assert len(pages.hosts) > 2


async def test_analytics_that_pages_adds_are_no_difference(site: Path, pages: Pages, address: str) -> None:
    pages.answers["/"] = PAGE.replace("</body>", "<script></script></body>")
    await ask(site, address)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("/", PAGE.replace("root", "other"), "/ is another page"),
        ("/config.json", PAGE, "/config.json is '<html>"),
        ("/config.json", '{"apiUrl": "https://other.example.org"}', r"other\.example\.org"),
    ],
)
async def test_another_answer_is_an_error_that_shows_it(
    site: Path, pages: Pages, address: str, path: str, text: str, reason: str
) -> None:
    pages.answers[path] = text
    with pytest.raises(DeployError, match=reason):
        await ask(site, address, timeout_s=0)


async def test_a_policy_that_is_not_applied_is_an_error(site: Path, pages: Pages, address: str) -> None:
    pages.headers = {}
    with pytest.raises(DeployError, match="has the content security policy None"):
        await ask(site, address, timeout_s=0)


async def test_a_deployment_that_never_appears_is_an_error(site: Path, pages: Pages, address: str) -> None:
    pages.late = 1000
    with pytest.raises(DeployError, match="status 404"):
        await ask(site, address, timeout_s=0)


async def test_a_site_without_a_configuration_is_checked_by_its_page(site: Path, pages: Pages, address: str) -> None:
    (site / "config.json").unlink()
    del pages.answers["/config.json"]
    await ask(site, address)


async def test_what_cannot_be_reached_is_not_checked_and_that_is_said(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # a port that nobody else can take, and nobody listens on
        await ask(site, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0)
    assert "cannot be reached from here" in capsys.readouterr().err


async def test_where_another_cloudflare_answers_has_to_be_known(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await ask(site, None)
    assert "site_url does not say where" in capsys.readouterr().err
