"""The JWT with which wrangler uploads assets (HS256, 30 minutes), signed with a key made once per state folder."""

import base64
import hashlib
import hmac
import json
import secrets
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.envelope import Json, ok
from infra.localcloud.cloudflare.pages.projects import PROJECT
from infra.localcloud.cloudflare.pages.records import PagesRecords
from infra.localcloud.cloudflare.store import Kind, Store

LIFETIME_SECONDS = 1_800
MOST_FILES = 20_000
_KEY = "pages-upload"


class UploadTokens:
    def __init__(self, store: Store, records: PagesRecords, account_id: str) -> None:
        self._store = store
        self._records = records
        self._account_id = account_id

    def routes(self) -> list[Route]:
        return [Route(PROJECT + "/upload-token", self.get, methods=["GET"])]

    async def get(self, request: Request) -> Response:
        project = self._records.project(request.path_params["project"])
        now = int(time.time())
        claims = {
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "account": self._account_id,
            "project": project["id"],
            "max_file_count_allowed": MOST_FILES,
        }
        return ok({"jwt": self._signed(claims)})

    def is_valid(self, token: str) -> bool:
        """True for an unexpired token of this state folder."""
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(head)):
            return False
        claims: Json = json.loads(_decoded(head.partition(".")[2]))
        return bool(claims["exp"] > time.time())

    def _signed(self, claims: Json) -> str:
        head = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{head}.{self._signature(head)}"

    def _signature(self, head: str) -> str:
        return _encoded(hmac.digest(self._key(), head.encode(), hashlib.sha256))

    def _key(self) -> bytes:
        stored = self._store.get(Kind.SIGNING_KEY, _KEY)
        if stored is None:
            stored = {"key": secrets.token_hex(32)}
            self._store.put(Kind.SIGNING_KEY, _KEY, stored)
        return bytes.fromhex(stored["key"])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
