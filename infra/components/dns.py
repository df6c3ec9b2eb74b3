"""The names of the product: apex and `app` lead to Pages, `api` leads to Fly."""

from dataclasses import dataclass

import pulumi

from infra.components import cloudflare

AUTOMATIC_TTL = 1


@dataclass(frozen=True)
class PagesName:
    """A host name that a Pages project answers to."""

    role: str
    hostname: str
    project: pulumi.Input[str]
    subdomain: pulumi.Input[str]


@dataclass(frozen=True)
class DnsArgs:
    account_id: str
    zone_id: str
    pages: list[PagesName]
    api_hostname: str
    fly_app: pulumi.Input[str]


class Dns(pulumi.ComponentResource):
    """Output: `api_hostname`, known once its record exists."""

    api_hostname: pulumi.Output[str]

    def __init__(self, name: str, args: DnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("reel:dns:Dns", name, None, opts)
        for page in args.pages:
            self._pages_name(name, args, page)
        # Not proxied: Fly issues the certificate by a challenge that has to reach Fly. With the proxy on it would take
        # the DNS-01 way: a CNAME _acme-challenge.api to the flydns.net name that `fly certs check` shows.
        api = self._record(
            f"{name}-api", args, args.api_hostname, pulumi.Output.concat(args.fly_app, ".fly.dev"), False
        )
        self.api_hostname = api.name
        self.register_outputs({"api_hostname": self.api_hostname})

    def _pages_name(self, name: str, args: DnsArgs, page: PagesName) -> None:
        record = self._record(f"{name}-{page.role}", args, page.hostname, page.subdomain, True)
        cloudflare.PagesDomain(
            f"{name}-{page.role}-domain",
            account_id=args.account_id,
            project_name=page.project,
            name=page.hostname,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[record]),
        )

    def _record(
        self, name: str, args: DnsArgs, hostname: str, target: pulumi.Input[str], proxied: bool
    ) -> cloudflare.DnsRecord:
        return cloudflare.DnsRecord(
            name,
            zone_id=args.zone_id,
            name=hostname,
            type="CNAME",
            content=target,
            proxied=proxied,
            ttl=AUTOMATIC_TTL,
            opts=pulumi.ResourceOptions(parent=self),
        )
