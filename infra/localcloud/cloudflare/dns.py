"""DNS records of the zones: create, list with filters, read, replace, edit, delete; and look-ups for Pages domains."""

import uuid
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.dns_record import PROXIABLE, valid_record
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok, page, timestamp, unimplemented
from infra.localcloud.cloudflare.store import Kind, Store
from infra.localcloud.cloudflare.zones import Zones

_RECORDS = "/zones/{zone}/dns_records"
_RECORD = _RECORDS + "/{record}"
_PAGING = ("page", "per_page", "order", "direction", "match")
_ORDERS = ("type", "name", "content", "ttl", "proxied")
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "": lambda value, wanted: value == wanted,
    "exact": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted in value,
    "startswith": lambda value, wanted: value.startswith(wanted),
    "endswith": lambda value, wanted: value.endswith(wanted),
}


class Dns:
    def __init__(self, store: Store, zones: Zones) -> None:
        self._store = store
        self._zones = zones

    def routes(self) -> list[Route]:
        return [
            Route(_RECORDS, self.create, methods=["POST"]),
            Route(_RECORDS, self.list, methods=["GET"]),
            Route(_RECORD, self.get, methods=["GET"]),
            Route(_RECORD, self.put, methods=["PUT"]),
            Route(_RECORD, self.patch, methods=["PATCH"]),
            Route(_RECORD, self.delete, methods=["DELETE"]),
        ]

    def cname(self, host: str) -> str | None:
        """Where a CNAME record points a host to, if there is one."""
        zone_id = self._zones.id_for(host)
        if zone_id is None:
            return None
        targets = [
            str(record["content"])
            for record in self._store.all(Kind.DNS_RECORD, parent=zone_id)
            if record["type"] == "CNAME" and record["name"] == host
        ]
        return targets[0] if targets else None

    async def create(self, request: Request) -> Response:
        zone_id = request.path_params["zone"]
        fields = valid_record(await json_body(request), self._zones.name(zone_id))
        self._refuse_conflict(zone_id, fields, replacing=None)
        moment = timestamp()
        record = {"id": uuid.uuid4().hex, **fields, "meta": {}, "created_on": moment, "modified_on": moment}
        self._store.put(Kind.DNS_RECORD, record["id"], record, parent=zone_id)
        return ok(record)

    async def list(self, request: Request) -> Response:
        zone_id = request.path_params["zone"]
        self._zones.name(zone_id)
        wanted = _filters(request)
        every = request.query_params.get("match", "all") != "any"
        records = [
            record
            for record in self._store.all(Kind.DNS_RECORD, parent=zone_id)
            if not wanted or (all if every else any)(matches(record) for matches in wanted)
        ]
        return page(request, _ordered(request, records), per_page=100)

    async def get(self, request: Request) -> Response:
        return ok(self._record(request))

    async def put(self, request: Request) -> Response:
        """Replaces every field the body may hold; what it leaves out returns to its default."""
        body = await json_body(request)
        return ok(self._replace(request, self._record(request), body))

    async def patch(self, request: Request) -> Response:
        """Changes the fields in the body and keeps the others."""
        change = await json_body(request)
        record = self._record(request)
        return ok(self._replace(request, record, record | change))

    async def delete(self, request: Request) -> Response:
        record = self._record(request)
        self._store.delete(Kind.DNS_RECORD, record["id"])
        return ok({"id": record["id"]})

    def _record(self, request: Request) -> Json:
        zone_id, record_id = request.path_params["zone"], request.path_params["record"]
        self._zones.name(zone_id)
        for record in self._store.all(Kind.DNS_RECORD, parent=zone_id):
            if record["id"] == record_id:
                return record
        raise CloudflareError(404, 81044, "Record does not exist.")

    def _replace(self, request: Request, old: Json, body: Json) -> Json:
        zone_id = request.path_params["zone"]
        fields = valid_record(body, self._zones.name(zone_id))
        self._refuse_conflict(zone_id, fields, replacing=old["id"])
        kept = {key: old[key] for key in ("id", "meta", "created_on")}
        record = {**fields, **kept, "modified_on": timestamp()}
        self._store.put(Kind.DNS_RECORD, record["id"], record, parent=zone_id)
        return record

    def _refuse_conflict(self, zone_id: str, fields: Json, replacing: str | None) -> None:
        others = [
            record
            for record in self._store.all(Kind.DNS_RECORD, parent=zone_id)
            if record["name"] == fields["name"] and record["id"] != replacing
        ]
        if any(_identity(record) == _identity(fields) for record in others):
            raise CloudflareError(400, 81058, "An identical record already exists.")
        if fields["type"] == "CNAME" and any(record["type"] in PROXIABLE for record in others):
            raise CloudflareError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        if fields["type"] in ("A", "AAAA") and any(record["type"] == "CNAME" for record in others):
            raise CloudflareError(400, 81054, "A CNAME record with that host already exists.")


def _identity(record: Json) -> tuple[object, ...]:
    return record["type"], record["name"], record["content"], record.get("priority")


def _filters(request: Request) -> list[Callable[[Json], bool]]:
    filters: list[Callable[[Json], bool]] = []
    for key, value in request.query_params.items():
        field, _, comparison = key.partition(".")
        if key in _PAGING:
            continue
        if field not in ("name", "content", "comment", "type", "proxied") or comparison not in _COMPARISONS:
            raise unimplemented(f"the DNS record filter {key!r}")
        filters.append(_filter(field, _COMPARISONS[comparison], value))
    return filters


def _filter(field: str, compare: Callable[[str, str], bool], wanted: str) -> Callable[[Json], bool]:
    return lambda record: compare(_text(record[field]), wanted.lower())


def _text(value: object) -> str:
    return "" if value is None else str(value).lower()


def _ordered(request: Request, records: list[Json]) -> list[Json]:
    order = request.query_params.get("order")
    if order is None:
        return records
    if order not in _ORDERS:
        raise CloudflareError(400, 6002, f"order is {order!r}; choose one of {', '.join(_ORDERS)}")
    return sorted(records, key=lambda record: record[order], reverse=request.query_params.get("direction") == "desc")
