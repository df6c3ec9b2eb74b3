"""Builds the page and serves it as Pages does: files, the headers of `_headers`, and for
unknown paths 404.html or, without one, index.html."""

import os
import subprocess
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from infra.localcloud.asgi import AsgiServer

WEB = Path(__file__).parents[2] / "app" / "web"


def build(target: Path, api_url: str) -> Path:
    """Runs the real build into `target`; raises with the build's output."""
    assert (WEB / "node_modules").is_dir(), "app/web has no node_modules: run `make setup`"
    tools = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "VITE_API_URL": api_url}
    command = [str(tools / "npm"), "run", "build", "--", "--outDir", str(target), "--emptyOutDir"]
    result = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"the build of app/web failed:\n{result.stdout}\n{result.stderr}"
    return target


class Site:
    """A built page on a loopback port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder.resolve()
        self._headers = read_headers((folder / "_headers").read_text())
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
        headers = {name: value for prefix, name, value in self._headers if request.url.path.startswith(prefix)}
        if path.is_relative_to(self._folder) and path.is_file():
            return FileResponse(path, headers=headers)
        missing = self._folder / "404.html"
        if request.url.path != "/" and missing.is_file():
            return FileResponse(missing, status_code=404, headers=headers)
        return FileResponse(self._folder / "index.html", headers=headers)


def read_headers(text: str) -> list[tuple[str, str, str]]:
    """(path prefix, name, value) of a `_headers` file whose patterns end in one splat."""
    rules, prefix = [], ""
    for line in text.splitlines():
        if line.startswith("/"):
            prefix = line.rstrip("*")
        elif line.strip():
            name, _, value = line.strip().partition(": ")
            rules.append((prefix, name, value))
    return rules
