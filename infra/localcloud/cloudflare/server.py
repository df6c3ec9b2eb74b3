"""The Cloudflare stand-in: the v4 API on one port and the Pages sites on another, with one durable state folder."""

import asyncio
from pathlib import Path

from starlette.middleware import Middleware

from infra.localcloud.asgi import AsgiServer
from infra.localcloud.cloudflare.accounts import Accounts
from infra.localcloud.cloudflare.api import application
from infra.localcloud.cloudflare.buckets import Buckets
from infra.localcloud.cloudflare.calls import Call, Recorder
from infra.localcloud.cloudflare.cors import BucketCors
from infra.localcloud.cloudflare.dns import Dns
from infra.localcloud.cloudflare.gate import API_PREFIX, Gate
from infra.localcloud.cloudflare.lifecycle import BucketLifecycle
from infra.localcloud.cloudflare.pages.assets import Assets
from infra.localcloud.cloudflare.pages.deployments import Deployments
from infra.localcloud.cloudflare.pages.domains import Domains
from infra.localcloud.cloudflare.pages.projects import Projects
from infra.localcloud.cloudflare.pages.records import PagesRecords
from infra.localcloud.cloudflare.pages.upload_token import UploadTokens
from infra.localcloud.cloudflare.site.app import SiteApp
from infra.localcloud.cloudflare.site.listener import Site
from infra.localcloud.cloudflare.site.select import Selector
from infra.localcloud.cloudflare.store import Store
from infra.localcloud.cloudflare.tokens import AccountTokens
from infra.localcloud.cloudflare.zones import Zones
from infra.localcloud.faults.http import with_faults
from infra.localcloud.faults.injector import Faults
from infra.localcloud.r2.protocol import BucketControl


class Cloudflare:
    """`tokens` may call everything; `zones` maps names to ids; `site_project` answers for 127.0.0.1 on `site_port`.

    A port of 0 takes a free one; after `start()` the attributes `port` and `site.port` hold the real ones. `api` and
    `sites` are the ASGI applications behind the two ports.
    """

    def __init__(
        self,
        *,
        state: Path,
        buckets: BucketControl,
        account_id: str,
        tokens: frozenset[str],
        zones: dict[str, str],
        site_project: str,
        port: int = 0,
        site_port: int = 0,
        faults: Faults | None = None,
    ) -> None:
        self._store = Store(state)
        records = PagesRecords(self._store)
        assets = Assets(self._store, state / "assets")
        self._zones = Zones(self._store, account_id, zones)
        dns = Dns(self._store, self._zones)
        domains = Domains(records, dns, self._zones)
        self._account_tokens = AccountTokens(self._store, buckets, account_id)
        upload_tokens = UploadTokens(self._store, records, account_id)
        parts = (
            Accounts(account_id),
            Buckets(self._store, buckets),
            BucketCors(buckets),
            BucketLifecycle(buckets),
            self._account_tokens,
            Projects(records),
            upload_tokens,
            assets,
            Deployments(records, assets),
            domains,
            self._zones,
            dns,
        )
        gate = Middleware(
            Gate,
            account_id=account_id,
            tokens=tokens,
            is_account_token=self._account_tokens.is_token,
            is_upload_token=upload_tokens.is_valid,
        )
        self.api = Recorder(application([route for part in parts for route in part.routes()], gate))
        self.sites = SiteApp(Selector(records, domains.is_active, site_project), assets)
        self._listener = AsgiServer(with_faults("cloudflare", self.api, faults), port)
        self.site = Site(self.sites, site_port)

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        """The base URL of the API, as the SDK and wrangler take it."""
        return self._listener.url + API_PREFIX

    @property
    def calls(self) -> list[Call]:
        """The latest API calls, oldest first."""
        return list(self.api.calls)

    def open(self) -> None:
        """Opens the state and puts right what a kill interrupted; enough to call `api` and `sites` in process."""
        self._store.open()
        self._zones.remember()
        self._account_tokens.reconcile()

    def close(self) -> None:
        self._store.close()

    async def start(self) -> None:
        """Returns once both ports accept; raises PortInUseError with nothing left open."""
        try:
            self.open()
            await self._listener.start()
            await self.site.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await asyncio.gather(self.site.stop(), self._listener.stop())
        self.close()
