"""The Fly stand-in: API, apps, fronts and the autostop loop in one asyncio process, with all state in one folder."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from infra.localcloud.asgi import AsgiServer
from infra.localcloud.faults.http import with_faults
from infra.localcloud.faults.injector import Faults
from infra.localcloud.faults.machines import DeadlyBalancer
from infra.localcloud.fly.api import Api
from infra.localcloud.fly.app import AppHost, Resources
from infra.localcloud.fly.certificates import CertificateAuthority
from infra.localcloud.fly.images.store import ImageStore
from infra.localcloud.fly.proxy.autostop import stop_idle
from infra.localcloud.fly.proxy.balancer import Balancer
from infra.localcloud.fly.proxy.front import Front, new_session
from infra.localcloud.fly.registry import Registry
from infra.localcloud.fly.store import Store

AUTOSTOP_INTERVAL_S = 300.0
CERTIFICATE_DELAY_S = 1.0
HOLD_S = 30.0

_log = logging.getLogger(__name__)


class Fly:
    """After `start`, `port` and `fronts` hold the real ports.

    `fronts` maps an app's name to the loopback port of its front (0: a free one); `python` is the interpreter that
    stands in for the image's own; `hold_s` is how long the proxy holds a request that no machine can take.
    """

    def __init__(
        self,
        state: Path,
        port: int = 0,
        *,
        fronts: Mapping[str, int],
        python: Path,
        tokens: frozenset[str],
        autostop_interval_s: float = AUTOSTOP_INTERVAL_S,
        certificate_delay_s: float = CERTIFICATE_DELAY_S,
        hold_s: float = HOLD_S,
        faults: Faults | None = None,
    ) -> None:
        self.port = port
        self.fronts = dict(fronts)
        self._state = state
        self._python = python
        self._tokens = tokens
        self._autostop_interval_s = autostop_interval_s
        self._authority = CertificateAuthority(certificate_delay_s)
        self._hold_s = hold_s
        self._faults = faults
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Starts the machines that ran when it was last stopped; raises PortInUseError."""
        session = new_session()
        store, images = Store(self._state), ImageStore(self._state / "images")
        registry = Registry(Resources(self._state, store, images, self._python, session))
        registry.load()
        running = _Running(registry, session, self._hold_s, self._faults)
        self._running = running
        try:
            app_api = Api(registry, self._authority, self._tokens).build()
            api = AsgiServer(with_faults("fly", app_api, self._faults), self.port)
            await api.start()
            running.api = api
            self.port = api.port
            for app, port in self.fronts.items():
                running.fronts[app] = Front(app, port, running.balancer, session)
                await running.fronts[app].open()
                self.fronts[app] = running.fronts[app].port
            await registry.start()
        except BaseException:
            await self.stop()
            raise
        running.autostop = asyncio.create_task(self._stop_idle_forever(registry))

    async def stop(self) -> None:
        """Ends every machine; a second call changes nothing."""
        running, self._running = self._running, None
        if running is not None:
            await running.stop()

    async def pause(self, app: str) -> None:
        """The app's front refuses connections, as when Fly's edge is down; its machines run on."""
        await self._front(app).close()

    async def resume(self, app: str) -> None:
        await self._front(app).open()

    def apps(self) -> list[AppHost]:
        return self._started().registry.all()

    def app(self, name: str) -> AppHost:
        """Raises AppNotFoundError."""
        return self._started().registry.get(name)

    async def destroy(self, app: str) -> None:
        await self._started().registry.destroy(app)

    async def stop_idle(self, app: str) -> None:
        """One pass of the autostop loop, now."""
        await stop_idle(self.app(app), 0.0)

    async def _stop_idle_forever(self, registry: Registry) -> None:
        while True:
            await asyncio.sleep(self._autostop_interval_s)
            for host in registry.all():
                try:
                    await stop_idle(host, self._autostop_interval_s)
                except Exception:
                    _log.exception("autostop of %s failed; the next pass tries again", host.name)

    def _front(self, app: str) -> Front:
        fronts = self._started().fronts
        if app not in fronts:
            raise KeyError(f"app {app!r} has no front; those with one: {', '.join(fronts) or 'none'}")
        return fronts[app]

    def _started(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the Fly stand-in is not running: call start() first")
        return self._running


class _Running:
    """What exists between start and stop, taken down in the order that loses the least."""

    def __init__(
        self, registry: Registry, session: aiohttp.ClientSession, hold_s: float, faults: Faults | None
    ) -> None:
        self.registry = registry
        self.session = session
        self.fronts: dict[str, Front] = {}
        self.api: AsgiServer | None = None
        self.autostop: asyncio.Task[None] | None = None
        self._hold_s = hold_s
        self._faults = faults
        self._balancers: dict[AppHost, Balancer] = {}

    def balancer(self, app: str) -> Balancer | None:
        host = self.registry.find(app)
        if host is None:
            return None
        if host not in self._balancers:
            self._balancers[host] = (
                Balancer(host, self._hold_s)
                if self._faults is None
                else DeadlyBalancer(host, self._hold_s, self._faults)
            )
        return self._balancers[host]

    async def stop(self) -> None:
        if self.autostop is not None:
            self.autostop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.autostop
        for front in self.fronts.values():
            await front.close()
        if self.api is not None:
            await self.api.stop()
        await self.registry.stop()
        await self.session.close()
