"""Stand-in for Cloudflare on loopback: the v4 API that Pulumi, wrangler and the SDK call, and Pages sites."""

from infra.localcloud.cloudflare.server import Cloudflare

__all__ = ["Cloudflare"]
