"""The resource types: where each lives in Cloudflare's API, what identifies it, what cannot change in place.

Names and types as in pulumi-cloudflare 6.23.1; paths and fields as in Cloudflare's API v4 reference.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.providers.cloudflare.names import snake
from infra.rehearsal.values import Values

BUCKET = "accounts/{accountId}/r2/buckets/{bucketName}"
PROJECTS = "accounts/{accountId}/pages/projects"
TOKENS = "accounts/{accountId}/tokens"
RECORDS = "zones/{zoneId}/dns_records"


@dataclass(frozen=True)
class Kind:
    """`collection` takes POST, `item` is one resource; `{name}` in them is an input, `{id}` the resource's id.

    `id`: the field of the answer, else the input, that identifies it. `fixed`: a change of these replaces.
    `computed`: outputs taken from the answer. `taken`: the codes that say that it exists already. `query`: by which
    inputs an existing one is found in the collection; by its item, if empty. `settles`: its update sets all of it.
    `attached`: it vanishes with what it depends on. `secret`: outputs that nobody may see, shown only once.
    """

    collection: str
    item: str
    id: str
    fixed: frozenset[str]
    computed: tuple[str, ...]
    body: Callable[[Values], Values]
    create: str = "POST"
    update: str = "PUT"
    deletes: bool = True
    taken: frozenset[int] = frozenset()
    query: tuple[str, ...] = ()
    settles: bool = True
    attached: bool = False
    delete_first: bool = True
    secret: frozenset[str] = frozenset()


def _without(*names: str) -> Callable[[Values], Values]:
    """The inputs in the API's spelling, without those that are in the path."""
    return lambda inputs: cast(Values, snake({key: value for key, value in inputs.items() if key not in names}))


def _as_given(inputs: Values) -> Values:
    """R2's rules are camelCase on both sides."""
    return {"rules": inputs.get("rules", [])}


def _bucket(inputs: Values) -> Values:
    spelled = {"name": "name", "location": "locationHint", "storageClass": "storageClass"}
    return {spelled[key]: value for key, value in inputs.items() if key in spelled}


def _token(inputs: Values) -> Values:
    """A policy's `resources` is JSON text to the provider and an object to the API; `ins` is `in`."""
    body = _without("accountId")(inputs)
    policies = body.get("policies")
    if isinstance(policies, list):
        body["policies"] = [_policy(one) if isinstance(one, dict) else one for one in policies]
    condition = body.get("condition")
    if isinstance(condition, dict) and isinstance(address := condition.get("request_ip"), dict):
        spelled = {"ins": "in", "not_ins": "not_in"}
        body["condition"] = {"request_ip": {spelled.get(key, key): value for key, value in address.items()}}
    return body


def _policy(policy: Values) -> Values:
    resources = policy.get("resources")
    if not isinstance(resources, str):
        return policy
    try:
        return {**policy, "resources": json.loads(resources)}
    except ValueError as error:
        raise ProviderError(f"a policy's resources must be a JSON object as text, not {resources!r}") from error


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = {
    "cloudflare:index/r2Bucket:R2Bucket": Kind(
        collection="accounts/{accountId}/r2/buckets",
        item="accounts/{accountId}/r2/buckets/{id}",
        id="name",
        fixed=_words("accountId name location jurisdiction"),
        computed=("creationDate", "location", "storageClass", "jurisdiction"),
        body=_bucket,
        update="PATCH",
        settles=False,
        taken=frozenset({10004}),
    ),
    "cloudflare:index/r2BucketCors:R2BucketCors": Kind(
        collection=f"{BUCKET}/cors",
        item=f"{BUCKET}/cors",
        id="bucketName",
        fixed=_words("accountId bucketName jurisdiction"),
        computed=(),
        body=_as_given,
        create="PUT",
        attached=True,
    ),
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": Kind(
        collection=f"{BUCKET}/lifecycle",
        item=f"{BUCKET}/lifecycle",
        id="bucketName",
        fixed=_words("accountId bucketName jurisdiction"),
        computed=(),
        body=_as_given,
        create="PUT",
        deletes=False,
        attached=True,
    ),
    "cloudflare:index/accountToken:AccountToken": Kind(
        collection=TOKENS,
        item=f"{TOKENS}/{{id}}",
        id="id",
        fixed=_words("accountId"),
        computed=("issuedOn", "modifiedOn", "lastUsedOn", "status", "value"),
        body=_token,
        delete_first=False,
        secret=_words("value"),
    ),
    "cloudflare:index/pagesProject:PagesProject": Kind(
        collection=PROJECTS,
        item=f"{PROJECTS}/{{id}}",
        id="name",
        fixed=_words("accountId name"),
        computed=(
            *("createdOn", "domains", "subdomain", "framework", "frameworkVersion", "previewScriptName"),
            *("productionScriptName", "usesFunctions", "buildConfig", "deploymentConfigs"),
        ),
        body=_without("accountId"),
        update="PATCH",
        taken=frozenset({8000002}),
    ),
    "cloudflare:index/pagesDomain:PagesDomain": Kind(
        collection=f"{PROJECTS}/{{projectName}}/domains",
        item=f"{PROJECTS}/{{projectName}}/domains/{{id}}",
        id="name",
        fixed=_words("accountId projectName name"),
        computed=("createdOn", "domainId", "status", "zoneTag", "certificateAuthority"),
        body=_without("accountId", "projectName"),
        update="PATCH",
        settles=False,
        taken=frozenset({8000018}),
    ),
    "cloudflare:index/dnsRecord:DnsRecord": Kind(
        collection=RECORDS,
        item=f"{RECORDS}/{{id}}",
        id="id",
        fixed=_words("zoneId"),
        computed=("createdOn", "modifiedOn", "proxiable"),
        body=_without("zoneId"),
        taken=frozenset({81053, 81057, 81058}),
        query=("type", "name"),
    ),
}
