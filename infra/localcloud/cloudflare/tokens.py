"""Account API tokens, which are R2's S3 keys: key id = token id, secret = SHA-256 of the token's value in hex.

Only that hash is stored. The value is answered once, at creation. What a token grants is kept in the R2 stand-in and
brought in line with the stored tokens at every start.
"""

import hashlib
import secrets
import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare import permission_groups, policies
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok, page, timestamp, unimplemented
from infra.localcloud.cloudflare.store import Kind, Store
from infra.localcloud.r2.protocol import BucketControl

_PATH = "/accounts/{account}/tokens"
_WITHOUT_EFFECT = ("condition", "expires_on", "not_before")


class AccountTokens:
    def __init__(self, store: Store, control: BucketControl, account_id: str) -> None:
        self._store = store
        self._control = control
        self._account_id = account_id

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.create, methods=["POST"]),
            Route(_PATH, self.list, methods=["GET"]),
            Route(_PATH + "/verify", self.verify, methods=["GET"]),
            Route(_PATH + "/permission_groups", self.permission_groups, methods=["GET"]),
            Route(_PATH + "/{token}", self.get, methods=["GET"]),
            Route(_PATH + "/{token}", self.put, methods=["PUT"]),
            Route(_PATH + "/{token}", self.delete, methods=["DELETE"]),
        ]

    def reconcile(self) -> None:
        """Grants again what a kill may have lost between storing a token and granting it."""
        for token in self._store.all(Kind.TOKEN):
            self._grant(token)

    def is_token(self, value: str) -> bool:
        return self._active(value) is not None

    def _active(self, value: str) -> Json | None:
        digest = hashlib.sha256(value.encode()).hexdigest()
        for token in self._store.all(Kind.TOKEN):
            if secrets.compare_digest(token["value_sha256"], digest) and token["status"] == "active":
                return token
        return None

    def _grant(self, token: Json) -> None:
        if token["status"] == "active":
            given = policies.access(token["policies"], self._account_id)
            self._control.grant(token["id"], token["value_sha256"], given.bucket, given.permission)
        else:
            self._control.revoke(token["id"])

    async def create(self, request: Request) -> Response:
        wanted = self._wanted(await json_body(request))
        value = secrets.token_urlsafe(30)
        moment = timestamp()
        token = wanted | {
            "id": uuid.uuid4().hex,
            "issued_on": moment,
            "modified_on": moment,
            "value_sha256": hashlib.sha256(value.encode()).hexdigest(),
        }
        self._store.put(Kind.TOKEN, token["id"], token)
        self._grant(token)
        return ok(_public(token) | {"value": value})

    async def list(self, request: Request) -> Response:
        return page(request, [_public(token) for token in self._store.all(Kind.TOKEN)])

    async def get(self, request: Request) -> Response:
        return ok(_public(self._token(request)))

    async def put(self, request: Request) -> Response:
        """Replaces name, policies and status; the value stays."""
        wanted = self._wanted(await json_body(request))
        token = self._token(request) | wanted | {"modified_on": timestamp()}
        self._store.put(Kind.TOKEN, token["id"], token)
        self._grant(token)
        return ok(_public(token))

    async def delete(self, request: Request) -> Response:
        token = self._token(request)
        self._control.revoke(token["id"])
        self._store.delete(Kind.TOKEN, token["id"])
        return ok({"id": token["id"]})

    async def verify(self, request: Request) -> Response:
        presented = request.headers["authorization"].split(" ", 1)[1].strip()
        token = self._active(presented)
        if token is None:
            raise CloudflareError(401, 1000, "Invalid API Token")
        valid = {"code": 10000, "message": "This API Token is valid and active", "type": None}
        return ok({"id": token["id"], "status": "active"}, messages=[valid])

    async def permission_groups(self, request: Request) -> Response:
        query = request.query_params
        return page(request, permission_groups.groups(name=query.get("name"), scope=query.get("scope")), per_page=100)

    def _token(self, request: Request) -> Json:
        token = self._store.get(Kind.TOKEN, request.path_params["token"])
        if token is None:
            raise CloudflareError(404, 1003, f"API token {request.path_params['token']!r} not found")
        return token

    def _wanted(self, body: Json) -> Json:
        for field in _WITHOUT_EFFECT:
            if body.get(field) is not None:
                raise unimplemented(f"{field!r} of account tokens")
        name = body.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 120:
            raise policies.invalid("name must be 1 to 120 characters")
        status = body.get("status") or "active"
        if status not in ("active", "disabled"):
            raise policies.invalid(f"status is {status!r}; give 'active' or 'disabled'")
        return {
            "name": name,
            "status": status,
            "policies": policies.checked(body.get("policies"), self._account_id),
        }


def _public(token: Json) -> Json:
    return {key: value for key, value in token.items() if key != "value_sha256"} | {"last_used_on": None}
