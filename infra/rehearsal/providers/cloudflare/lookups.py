"""Functions that read: a bucket, a Pages project, zones, the permission groups of tokens."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.providers.cloudflare.names import camel
from infra.rehearsal.values import Values

Get = Callable[[str, Mapping[str, str]], Any]


def look_up(get: Get, token: str, arguments: Values) -> Values:
    """Raises ProviderError for a function that is not here, or that finds nothing."""
    name = token.rpartition(":")[2]
    if (function := FUNCTIONS.get(name)) is None:
        raise ProviderError(f"a rehearsal cannot call {token}; of Cloudflare's it calls {', '.join(sorted(FUNCTIONS))}")
    return function(get, arguments)


def _bucket(get: Get, arguments: Values) -> Values:
    name = arguments.get("bucketName")
    found = get(f"accounts/{arguments.get('accountId')}/r2/buckets/{name}", {})
    return {**_known(found), **arguments, "id": name}


def _project(get: Get, arguments: Values) -> Values:
    name = arguments.get("projectName")
    found = get(f"accounts/{arguments.get('accountId')}/pages/projects/{name}", {})
    return {**_known(found), **arguments, "id": name}


def _zone(get: Get, arguments: Values) -> Values:
    if zone := arguments.get("zoneId"):
        found = get(f"zones/{zone}", {})
    else:
        sought = arguments.get("filter")
        query = _query(sought if isinstance(sought, dict) else {})
        zones = get("zones", query) or []
        if len(zones) != 1:
            raise ProviderError(f"getZone: {len(zones)} zones fit {query}; it needs exactly one")
        found = zones[0]
    return {**_known(found), **arguments, "zoneId": found["id"]}


def _zones(get: Get, arguments: Values) -> Values:
    found = get("zones", _query(arguments)) or []
    return {**arguments, "results": [_known(one) for one in found]}


def _permission_groups(get: Get, arguments: Values) -> Values:
    found = get(f"accounts/{arguments.get('accountId')}/tokens/permission_groups", _query(arguments)) or []
    return {**arguments, "results": [_known(one) for one in found]}


def _query(arguments: Values) -> dict[str, str]:
    """The arguments that the API takes as they are, and the account's id."""
    query = {key: str(value) for key, value in arguments.items() if key in ("name", "status", "scope") and value}
    account = arguments.get("account")
    if isinstance(account, dict) and account.get("id"):
        query["account.id"] = str(account["id"])
    return query


def _known(found: Any) -> Values:  # noqa: ANN401 -- the API's answer
    said = camel(found)
    return said if isinstance(said, dict) else {}


FUNCTIONS: dict[str, Callable[[Get, Values], Values]] = {
    "getR2Bucket": _bucket,
    "getPagesProject": _project,
    "getZone": _zone,
    "getZones": _zones,
    "getAccountApiTokenPermissionGroupsList": _permission_groups,
}
