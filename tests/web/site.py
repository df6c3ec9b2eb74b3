"""Builds the page as a deployment does and serves it as Pages does: files, the headers of `_headers`, and for
unknown paths 404.html or, without one, index.html."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from infra.deploy.pages import packages, vite
from infra.deploy.pages.configuration import configure
from infra.localcloud.asgi import AsgiServer
from infra.localcloud.cloudflare.site.headers import parse_headers

WEB = packages.WEB


def build(target: Path, api_url: str, storage_origins: Sequence[str]) -> Path:
    """Builds into `target` by the steps of a deployment, for this API and this storage."""
    assert packages.WRANGLER.exists(), "app/web has no node_modules: run `make setup`"
    site = vite.build(WEB, target)
    configure(site, api_url, storage_origins)
    return site


class Site:
    """A built page on a loopback port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder.resolve()
        self._headers = parse_headers((folder / "_headers").read_text())
        self._server = AsgiServer(Starlette(routes=[Route("/{path:path}", self._get)]), port)

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _get(self, request: Request) -> Response:
        path = (self._folder / request.path_params["path"]).resolve()
        headers = self._headers.applied({}, request.url.hostname or "", request.url.path)
        if path.is_relative_to(self._folder) and path.is_file():
            return FileResponse(path, headers=headers)
        missing = self._folder / "404.html"
        if request.url.path != "/" and missing.is_file():
            return FileResponse(missing, status_code=404, headers=headers)
        return FileResponse(self._folder / "index.html", headers=headers)
