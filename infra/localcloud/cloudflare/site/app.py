"""ASGI application in front of all Pages sites: host to deployment, request to answer, asset to body."""

import asyncio

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from infra.localcloud.cloudflare.pages.assets import Assets
from infra.localcloud.cloudflare.site.respond import SiteRequest, respond
from infra.localcloud.cloudflare.site.select import NothingHereError, Selector


class SiteApp:
    def __init__(self, selector: Selector, assets: Assets) -> None:
        self._selector = selector
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._response(scope)
            await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        host = headers.get("host", "").partition(":")[0].lower()
        try:
            deployed = self._selector.deployed(host)
        except NothingHereError as error:
            return PlainTextResponse(f"Nothing is here yet: {error}\n", status_code=404)
        request = SiteRequest(
            method=scope["method"],
            host=host,
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
        )
        answer = respond(deployed, request, self._assets.content_type)
        body = answer.text.encode()
        if answer.asset is not None:
            body = await asyncio.to_thread(self._assets.path(answer.asset).read_bytes)
        return Response(body, status_code=answer.status, headers=answer.headers)
