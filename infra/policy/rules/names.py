"""DNS: the backend's name leads to Fly itself."""

from collections.abc import Iterator

from infra.policy.model import Context, PlannedResource, ResourceRule


def _api_is_not_proxied(resource: PlannedResource, context: Context) -> Iterator[str]:
    if resource.kind != "DnsRecord" or resource.inputs.get("proxied") is not True:
        return
    content = resource.inputs.get("content")
    if isinstance(content, str) and content.rstrip(".").endswith(".fly.dev"):
        yield f"{resource.inputs.get('name')} is proxied: Fly cannot issue its certificate through Cloudflare"


RULES = (
    ResourceRule(
        name="fly-names-are-not-proxied",
        description="A name that leads to Fly is not proxied by Cloudflare.",
        remedy="set proxied=False, or take the DNS-01 way that infra/components/dns.py describes",
        check=_api_is_not_proxied,
    ),
)
