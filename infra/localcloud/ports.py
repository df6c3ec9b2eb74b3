"""Which port each stand-in listens on, as the local stack's addresses say."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.config import ConfigError, StackConfig

LOOPBACK_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Ports:
    api: int
    site: int
    r2: int
    cloudflare: int
    modal_grpc: int
    modal_http: int
    fly: int

    @classmethod
    def of(cls, config: StackConfig) -> "Ports":
        """Raises ConfigError for an address that is not on loopback."""
        modal = _port("modalUrl", config.modal_url)
        return cls(
            api=_port("apiUrl", config.api_url),
            site=_port("appUrl", config.app_url),
            r2=_port("r2Endpoint", config.r2_endpoint),
            cloudflare=_port("cloudflareUrl", config.cloudflare_url),
            modal_grpc=modal,
            modal_http=modal + 1,
            fly=_port("flyUrl", config.fly_url),
        )


def _port(key: str, address: str | None) -> int:
    parts = urlsplit(address or "")
    if parts.hostname not in LOOPBACK_HOSTS or parts.port is None:
        raise ConfigError(f"reel:{key}: {address!r} is no loopback address with a port, such as http://127.0.0.1:9400")
    return parts.port
