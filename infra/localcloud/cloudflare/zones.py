"""The account's zones: given at start, each with a fixed id; looked up by name or id, never made or removed here."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.accounts import NAME as ACCOUNT_NAME
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, ok, page, timestamp
from infra.localcloud.cloudflare.store import Kind, Store

_FILTERS = ("name", "account.id", "account.name", "status")


class Zones:
    """`zones` maps a name such as "example.test" to its id, 32 hex digits."""

    def __init__(self, store: Store, account_id: str, zones: dict[str, str]) -> None:
        self._store = store
        self._account_id = account_id
        self._ids = {name.lower(): zone_id for name, zone_id in zones.items()}

    def routes(self) -> list[Route]:
        return [Route("/zones", self.list, methods=["GET"]), Route("/zones/{zone}", self.get, methods=["GET"])]

    def remember(self) -> None:
        """Gives every zone a creation time once; a restart keeps it."""
        for name, zone_id in self._ids.items():
            if not self._store.has(Kind.ZONE, zone_id):
                self._store.put(Kind.ZONE, zone_id, {"name": name, "created_on": timestamp()})

    def name(self, zone_id: str) -> str:
        """The zone's name; an unknown id answers 7003 as Cloudflare does."""
        for name, known_id in self._ids.items():
            if known_id == zone_id:
                return name
        message = f"Could not route to /zones/{zone_id}, perhaps your object identifier is invalid?"
        raise CloudflareError(404, 7003, message)

    def id_for(self, host: str) -> str | None:
        """The id of the zone that holds a host name."""
        held = [name for name in self._ids if host == name or host.endswith(f".{name}")]
        return self._ids[max(held, key=len)] if held else None

    async def list(self, request: Request) -> Response:
        wanted = {key: value for key, value in request.query_params.items() if key in _FILTERS}
        return page(request, [zone for zone in map(self._public, self._ids) if _matches(zone, wanted)])

    async def get(self, request: Request) -> Response:
        return ok(self._public(self.name(request.path_params["zone"])))

    def _public(self, name: str) -> Json:
        zone_id = self._ids[name]
        created_on = (self._store.get(Kind.ZONE, zone_id) or {})["created_on"]
        return {
            "id": zone_id,
            "name": name,
            "status": "active",
            "paused": False,
            "type": "full",
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
            "original_name_servers": None,
            "original_registrar": None,
            "original_dnshost": None,
            "created_on": created_on,
            "modified_on": created_on,
            "activated_on": created_on,
            "account": {"id": self._account_id, "name": ACCOUNT_NAME},
            "owner": {"id": None, "name": None, "type": "user"},
            "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
            "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        }


def _matches(zone: Json, wanted: dict[str, str]) -> bool:
    flat = zone | {"account.id": zone["account"]["id"], "account.name": zone["account"]["name"]}
    return all(str(flat[key]).lower() == value.lower() for key, value in wanted.items())
