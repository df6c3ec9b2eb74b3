"""Cloudflare's resources: each operation is a call or two of the API."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.providers.base import Call, Found, Made, ProviderError
from infra.rehearsal.providers.cloudflare.client import Access, Client, CloudflareError
from infra.rehearsal.providers.cloudflare.drift import drifted
from infra.rehearsal.providers.cloudflare.kinds import KINDS, Kind
from infra.rehearsal.providers.cloudflare.lookups import look_up
from infra.rehearsal.providers.cloudflare.names import camel
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Value, Values, merged, plain, plain_values, secret

NO_SUCH = 404


class Cloudflare:
    """`environment` gives CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN where a provider's settings do not."""

    def __init__(self, environment: Mapping[str, str], client: Client | None = None) -> None:
        self._environment, self._client = environment, client or Client()

    def check(self, inputs: Values) -> Values:
        return inputs

    def diff(self, old: Resource, inputs: Values) -> Changes:
        """A mark of secrecy alone is no change to this provider."""
        kind = _kind(old)
        changes = Changes(compare(plain_values(old.inputs), plain_values(inputs)), delete_first=kind.delete_first)
        return changes.replacing(kind.fixed)

    def plan(self, call: Call) -> Made:
        kind = _kind(call.resource)
        if call.old is not None and call.resource.id:
            return Made(call.resource.id, _above(call.old.outputs, call.inputs))
        unknown: Values = dict.fromkeys(kind.computed, UNKNOWN)
        return Made("", _above(unknown, call.inputs))

    def create(self, call: Call) -> Made:
        kind = _kind(call.resource)
        if call.resumed and kind.secret:
            self._remove_leftovers(call, kind)
        try:
            cleaned = (lambda: self._remove_leftovers(call, kind)) if kind.secret else None
            body = self._body(call, kind)
            answer = self._send(call, kind, kind.create, kind.collection, body, before_again=cleaned)
        except CloudflareError as error:
            if not ((call.resumed or error.uncertain) and kind.taken & {*error.codes}):
                raise
            call.say("it exists already, made by a run that was stopped: taken over")
            return self._adopt(call, kind)
        return Made(_identity(kind, answer, call.inputs), _outputs(kind, answer, call.inputs))

    def update(self, call: Call) -> Values:
        kind = _kind(call.resource)
        before = call.old.outputs if call.old else {}
        answer = self._send(call, kind, kind.update, kind.item, self._body(call, kind))
        kept = {key: before[key] for key in kind.computed if key in before}
        return _above(kept, _outputs(kind, answer, call.inputs))

    def delete(self, call: Call) -> None:
        kind = _kind(call.resource)
        if not kind.deletes:
            return
        try:
            self._send(call, kind, "DELETE", kind.item)
        except CloudflareError as error:
            if error.status != NO_SUCH:
                raise

    def exists(self, call: Call) -> bool:
        kind = _kind(call.resource)
        if kind.attached and call.lost:
            return False
        try:
            self._send(call, kind, "GET", kind.item)
        except CloudflareError as error:
            if error.status == NO_SUCH:
                return False
            raise
        return True

    def read(self, call: Call) -> Found | None:
        """What the API has is laid over the inputs where it differs from what they ask for."""
        kind, resource = _kind(call.resource), call.resource
        try:
            answer = self._send(call, kind, "GET", kind.item)
        except CloudflareError as error:
            if error.status == NO_SUCH:
                return None
            raise
        changed = drifted(kind.body(plain_values(call.inputs)), answer, call.inputs)
        inputs = {**call.inputs, **changed}
        return Found(inputs, _above(resource.outputs, inputs) if changed else resource.outputs)

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        access = self._access(config)
        return look_up(lambda path, query: self._client.send(access, "GET", path, query=query), token, arguments)

    def _adopt(self, call: Call, kind: Kind) -> Made:
        """Finds what exists under the name and brings it to what is wanted."""
        known = _identity(kind, self._listed(call, kind) if kind.query else {}, call.inputs)
        if kind.settles:
            self._send(call, kind, kind.update, kind.item, self._body(call, kind), id_=known)
        answer = self._send(call, kind, "GET", kind.item, id_=known)
        return Made(known, _outputs(kind, answer, call.inputs))

    def _listed(self, call: Call, kind: Kind) -> Any:  # noqa: ANN401 -- the API's answer
        """The one in the collection: with the same content if several have the name."""
        query = {key: str(plain(call.inputs.get(key))) for key in kind.query}
        found = self._send(call, kind, "GET", kind.collection, query=query) or []
        if not found:
            raise ProviderError(f"{call.resource.name} exists already, but the API does not list it by {query}")
        content = plain(call.inputs.get("content"))
        return next((one for one in found if one.get("content") == content), found[0])

    def _remove_leftovers(self, call: Call, kind: Kind) -> None:
        """A token shows its value once: one whose maker was killed is of no use and is removed."""
        old = call.old.id if call.old else ""
        for found in self._send(call, kind, "GET", kind.collection) or []:
            if found.get("name") == plain(call.inputs.get("name")) and found.get("id") != old:
                self._send(call, kind, "DELETE", kind.item, id_=found["id"])

    def _body(self, call: Call, kind: Kind) -> Values:
        return kind.body(plain_values(call.inputs))

    def _send(
        self,
        call: Call,
        kind: Kind,
        method: str,
        path: str,
        body: Values | None = None,
        *,
        query: Mapping[str, str] | None = None,
        id_: str = "",
        before_again: Callable[[], None] | None = None,
    ) -> Any:  # noqa: ANN401 -- the API's answer
        inputs = plain_values(call.inputs)
        headers = {}
        if (jurisdiction := inputs.get("jurisdiction")) and jurisdiction != "default":
            headers["cf-r2-jurisdiction"] = str(jurisdiction)
        if method == "PATCH" and (storage_class := inputs.get("storageClass")):
            headers["cf-r2-storage-class"] = str(storage_class)
        where = _path(path, inputs, id_ or call.resource.id)
        return self._client.send(
            self._access(call.config),
            method,
            where,
            body=body,
            query=query,
            headers=headers,
            before_again=before_again,
        )

    def _access(self, config: Values) -> Access:
        given = plain_values(config)
        return Access(
            str(given.get("baseUrl") or self._environment.get("CLOUDFLARE_BASE_URL", "")),
            str(given.get("apiToken") or self._environment.get("CLOUDFLARE_API_TOKEN", "")),
        )


def _kind(resource: Resource) -> Kind:
    if (kind := KINDS.get(resource.type)) is None:
        known = ", ".join(sorted(name.rpartition(":")[2] for name in KINDS))
        raise ProviderError(f"a rehearsal cannot make a {resource.type}; of Cloudflare's it makes {known}")
    return kind


def _path(template: str, inputs: Values, id_: str) -> str:
    names = {key: quote(str(value), safe="") for key, value in inputs.items() if isinstance(value, str)}
    try:
        return template.format(**{**names, "id": quote(id_, safe="")})
    except KeyError as error:
        raise ProviderError(f"the input {error.args[0]} is missing: {template} needs it") from error


def _identity(kind: Kind, answer: Any, inputs: Values) -> str:  # noqa: ANN401 -- the API's answer
    found = answer.get(kind.id) if isinstance(answer, dict) else None
    return str(found or plain(inputs.get(kind.id)))


def _outputs(kind: Kind, answer: Any, inputs: Values) -> Values:  # noqa: ANN401 -- the API's answer
    """The inputs over what the API says; only known fields, since the SDK checks their types."""
    said = camel(answer)
    known: Values = {}
    if isinstance(said, dict):
        known = {key: secret(said[key]) if key in kind.secret else said[key] for key in kind.computed if key in said}
    return _above(known, inputs)


def _above(below: Values, above: Values) -> Values:
    laid: Value = merged(below, above)
    return laid if isinstance(laid, dict) else above
