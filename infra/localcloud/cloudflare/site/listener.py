"""The port of the Pages sites, which can be lent to another server (a dev server) and taken back."""

from infra.localcloud.asgi import AsgiServer
from infra.localcloud.cloudflare.site.app import SiteApp


class Site:
    """`port` 0 takes a free one at the first start; afterwards it stays the same."""

    def __init__(self, app: SiteApp, port: int) -> None:
        self._server = AsgiServer(app, port)
        self._listening = False

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        await self.resume()

    async def stop(self) -> None:
        await self.pause()

    async def pause(self) -> None:
        """Closes the listener and its connections; another process may bind the port. A second pause does nothing."""
        if self._listening:
            await self._server.stop()
            self._listening = False

    async def resume(self) -> None:
        """Listens on the same port again; raises PortInUseError while another server has it."""
        if not self._listening:
            await self._server.start()
            self._listening = True
