"""The one account and its one member: what wrangler and the SDK look up before they act."""

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.envelope import Json, ok, page

NAME = "Local"
_NAMESPACE = uuid.UUID("6f1f5c1e-5a0e-4c1f-9d5b-0d7f3f6f9a11")
_SINCE = "2026-01-01T00:00:00.000000Z"


class Accounts:
    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def routes(self) -> list[Route]:
        return [
            Route("/user", self.user),
            Route("/user/tokens/verify", self.verify),
            Route("/memberships", self.memberships),
            Route("/accounts", self.list),
            Route("/accounts/{account}", self.get),
        ]

    def _account(self) -> Json:
        return {
            "id": self._account_id,
            "name": NAME,
            "type": "standard",
            "settings": {"enforce_twofactor": False},
            "created_on": _SINCE,
        }

    def _stable_id(self, role: str) -> str:
        return uuid.uuid5(_NAMESPACE, f"{role}:{self._account_id}").hex

    async def user(self, request: Request) -> Response:
        return ok({"id": self._stable_id("user"), "email": "local@reelballers.test"})

    async def verify(self, request: Request) -> Response:
        valid = {"code": 10000, "message": "This API Token is valid and active", "type": None}
        return ok({"id": self._stable_id("token"), "status": "active"}, messages=[valid])

    async def memberships(self, request: Request) -> Response:
        account = {"id": self._account_id, "name": NAME}
        member = {
            "id": self._stable_id("member"),
            "status": "accepted",
            "account": account,
            "roles": ["Administrator"],
        }
        return page(request, [member])

    async def list(self, request: Request) -> Response:
        wanted = request.query_params.get("name", NAME)
        return page(request, [self._account()] if wanted.lower() == NAME.lower() else [])

    async def get(self, request: Request) -> Response:
        return ok(self._account())
