"""One caller of the API: who it is, and what it says to HTTP and to sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Origin

from infra.deploy.errors import DeployError

Json = dict[str, Any]
API_TIMEOUT_S = 60
BUCKET_TIMEOUT_S = 300
OPEN_TIMEOUT_S = 30


@dataclass(frozen=True)
class Caller:
    """`headers` of every request; `query` of a socket, for what browsers cannot put into headers."""

    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def named(cls, user: str) -> Self:
        """Whom a development backend believes."""
        return cls({"X-User-ID": user}, {"user": user})

    @classmethod
    def bearing(cls, token: str) -> Self:
        return cls({"Authorization": f"Bearer {token}"})


class ApiError(DeployError):
    """The API answered with an error; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API as one caller; `bucket` takes presigned URLs and carries no identity."""

    def __init__(self, url: str, caller: Caller) -> None:
        self.url = url
        self.caller = caller
        self.bucket = httpx.AsyncClient(timeout=BUCKET_TIMEOUT_S)
        self._http = httpx.AsyncClient(base_url=url, headers=dict(caller.headers), timeout=API_TIMEOUT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()
        await self.bucket.aclose()

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:  # noqa: ANN401 -- JSON of many shapes
        """The answer's JSON, None for an empty one; raises ApiError, and DeployError when nothing answers."""
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise DeployError(f"{method} {self.url}{path}: {type(error).__name__}: {error}") from error
        if answer.is_error:
            raise ApiError(f"{method} {path} answered {answer.status_code}: {_detail(answer)}", answer.status_code)
        return answer.json() if answer.content else None

    def socket(self, path: str, origin: str | None = None) -> connect:
        """A connection to be opened, as a page of `origin` would open it."""
        query = f"?{urlencode(self.caller.query)}" if self.caller.query else ""
        tokens = {name: value for name, value in self.caller.headers.items() if name == "Authorization"}
        return connect(
            f"ws{self.url.removeprefix('http')}{path}{query}",
            origin=Origin(origin) if origin else None,
            additional_headers=tokens,
            open_timeout=OPEN_TIMEOUT_S,
        )


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(problem.get("detail") or problem.get("title") or problem)
