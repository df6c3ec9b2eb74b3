"""Who may call: bearer tokens on every path, upload tokens on the Pages asset paths, one account.

Sources: the API's own answers (6003/6111, 9106, 10000, 1000) and wrangler's asset upload (8000013).
"""

import hashlib
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.localcloud.cloudflare.envelope import CloudflareError

API_PREFIX = "/client/v4"
_USER_VERIFY = f"{API_PREFIX}/user/tokens/verify"
_ASSETS = f"{API_PREFIX}/pages/assets/"


class Gate:
    """ASGI middleware that refuses before any handler runs.

    `is_account_token(value)` knows the tokens made through the API; here they may only verify themselves, because their
    permission groups reach R2 objects and nothing else.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        account_id: str,
        tokens: frozenset[str],
        is_account_token: Callable[[str], bool],
        is_upload_token: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._account_id = account_id
        self._digests = frozenset(_digest(token) for token in tokens)
        self._is_account_token = is_account_token
        self._is_upload_token = is_upload_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._admit(scope["path"], Headers(scope=scope).get("authorization"))
            except CloudflareError as error:
                await error.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, path: str, authorization: str | None) -> None:
        token = _bearer(authorization)
        if path.startswith(_ASSETS):
            if not self._is_upload_token(token):
                raise CloudflareError(401, 8000013, "Authorization failed")
            return
        if _digest(token) not in self._digests:
            self._admit_account_token(path, token)
        elif path.startswith(f"{API_PREFIX}/accounts/") and path.split("/")[4] != self._account_id:
            raise CloudflareError(403, 10000, "Authentication error")

    def _admit_account_token(self, path: str, token: str) -> None:
        if not self._is_account_token(token):
            if path == _USER_VERIFY:
                raise CloudflareError(401, 1000, "Invalid API Token")
            raise CloudflareError(401, 10000, "Authentication error")
        if path != f"{API_PREFIX}/accounts/{self._account_id}/tokens/verify":
            raise CloudflareError(403, 10000, "Authentication error")


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise CloudflareError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        chain = [(6111, "Invalid format for Authorization header")]
        raise CloudflareError(400, 6003, "Invalid request headers", chain)
    return token.strip()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
