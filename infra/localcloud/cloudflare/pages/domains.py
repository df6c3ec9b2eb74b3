"""Custom domains of a project: pending until a CNAME of the host points to the project's subdomain."""

import re
import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.dns import Dns
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok, page, timestamp
from infra.localcloud.cloudflare.pages.projects import PROJECT
from infra.localcloud.cloudflare.pages.records import SUFFIX, PagesRecords
from infra.localcloud.cloudflare.zones import Zones

_DOMAINS = PROJECT + "/domains"
_DOMAIN = _DOMAINS + "/{domain}"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


class Domains:
    def __init__(self, records: PagesRecords, dns: Dns, zones: Zones) -> None:
        self._records = records
        self._dns = dns
        self._zones = zones

    def routes(self) -> list[Route]:
        return [
            Route(_DOMAINS, self.create, methods=["POST"]),
            Route(_DOMAINS, self.list, methods=["GET"]),
            Route(_DOMAIN, self.get, methods=["GET"]),
            Route(_DOMAIN, self.get, methods=["PATCH"]),
            Route(_DOMAIN, self.delete, methods=["DELETE"]),
        ]

    def is_active(self, domain: Json) -> bool:
        return self._dns.cname(domain["name"]) == f"{domain['project']}{SUFFIX}"

    async def create(self, request: Request) -> Response:
        project = self._records.project(request.path_params["project"])
        given = (await json_body(request)).get("name")
        name = given.lower() if isinstance(given, str) else ""
        if not _HOST.fullmatch(name) or name.endswith(SUFFIX):
            raise CloudflareError(400, 8000017, f"{given!r} is no domain for a Pages project; give a host of your own")
        if self._records.find_domain(name) is not None:
            raise CloudflareError(409, 8000018, "You have already added this custom domain.")
        domain = {
            "id": str(uuid.uuid4()),
            "domain_id": uuid.uuid4().hex,
            "name": name,
            "project": project["name"],
            "created_on": timestamp(),
        }
        self._records.save_domain(domain)
        return ok(self._public(domain))

    async def list(self, request: Request) -> Response:
        project = self._records.project(request.path_params["project"])
        return page(request, [self._public(domain) for domain in self._records.domains(project["name"])])

    async def get(self, request: Request) -> Response:
        """Also answers PATCH, which asks Cloudflare to validate again: here every read validates."""
        return ok(self._public(self._domain(request)))

    async def delete(self, request: Request) -> Response:
        self._records.remove_domain(self._domain(request)["name"])
        return ok(None)

    def _domain(self, request: Request) -> Json:
        return self._records.domain(request.path_params["project"], request.path_params["domain"])

    def _public(self, domain: Json) -> Json:
        active = self.is_active(domain)
        return {
            "id": domain["id"],
            "domain_id": domain["domain_id"],
            "name": domain["name"],
            "status": "active" if active else "pending",
            "certificate_authority": "google",
            "created_on": domain["created_on"],
            "zone_tag": self._zones.id_for(domain["name"]) or "",
            "validation_data": {"method": "http", "status": "active" if active else "initializing"},
            "verification_data": {"status": "active" if active else "pending"},
        }
