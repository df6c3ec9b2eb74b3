"""Calls of Cloudflare's v4 API. The base URL must be loopback; what may have happened unseen is `uncertain`."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.safety import is_loopback

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 4
TOO_MANY = 429
RETRIED = frozenset({TOO_MANY, 500, 502, 503, 504})
LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Access:
    """Where and with what right."""

    base_url: str
    token: str


class CloudflareError(ProviderError):
    """An answer that is no success. `codes` are Cloudflare's own."""

    def __init__(self, message: str, status: int, codes: tuple[int, ...], *, uncertain: bool = False) -> None:
        super().__init__(message, uncertain=uncertain)
        self.status, self.codes = status, codes


class Client:
    """One connection pool for a run; used from several threads."""

    def __init__(self, transport: Any = None) -> None:  # noqa: ANN401 -- an httpx transport, in tests
        self._http: Any = None  # httpx is imported at the first call: a run without Cloudflare does not pay for it.
        self._transport = transport
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None

    def send(
        self,
        access: Access,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        before_again: Callable[[], None] | None = None,
    ) -> Any:  # noqa: ANN401 -- the `result` of Cloudflare's envelope
        """Tries again after 429, 5xx and a lost answer. Raises CloudflareError for an answer, else ProviderError.

        `before_again` runs before a call is repeated that may have worked.
        """
        if not is_loopback(access.base_url):
            raise ProviderError(
                f"Cloudflare's base URL is {access.base_url or 'not set'}: a rehearsal needs the stand-in's; "
                "set base_url on the provider (or CLOUDFLARE_BASE_URL) to a loopback address such as "
                "http://127.0.0.1:9401/client/v4"
            )
        request = _Request(
            method,
            f"{access.base_url.rstrip('/')}/{path}",
            {"authorization": f"Bearer {access.token}", **(headers or {})},
            body,
            dict(query or {}),
        )
        unsure = False
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._attempt(request, last=attempt == ATTEMPTS)
            if answer is not None and (answer.status_code not in RETRIED or attempt == ATTEMPTS):
                return _result(answer, method, path, unsure)
            if answer is None or answer.status_code != TOO_MANY:
                unsure = True
                if before_again:
                    before_again()
            time.sleep(_pause(answer.headers.get("retry-after", "") if answer is not None else "", attempt))
        raise AssertionError("unreachable")

    def _attempt(self, request: "_Request", *, last: bool) -> Any:  # noqa: ANN401 -- an httpx.Response
        """None if the answer was lost and there are more attempts."""
        import httpx

        with self._lock:
            if self._http is None:
                self._http = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, transport=self._transport)
        try:
            return self._http.request(
                request.method, request.url, headers=request.headers, json=request.body, params=request.query
            )
        except httpx.ConnectError as error:
            raise ProviderError(
                f"cannot reach Cloudflare's stand-in at {request.url}: start it with "
                "`python -m infra.localcloud serve` (or `make up`), or correct base_url"
            ) from error
        except httpx.HTTPError as error:
            if not last:
                return None
            message = f"{request.method} {request.url}: {type(error).__name__}: {error}"
            raise ProviderError(message, uncertain=request.method != "GET") from error


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    body: object
    query: dict[str, str]


def _result(answer: Any, method: str, path: str, unsure: bool) -> Any:  # noqa: ANN401 -- an httpx.Response, then JSON
    try:
        document = answer.json() if answer.content else {}
    except ValueError:
        document = {}
    if answer.is_success and document.get("success", True):
        return document.get("result")
    errors = document.get("errors") or []
    said = "; ".join(f"{one.get('message')} (code {one.get('code')})" for one in errors) or answer.text[:200]
    codes = tuple(int(one.get("code") or 0) for one in errors)
    raise CloudflareError(
        f"{method} {path}: {answer.status_code}: {said}",
        answer.status_code,
        codes,
        uncertain=unsure or answer.status_code >= 500,
    )


def _pause(retry_after: str, attempt: int) -> float:
    wanted = float(retry_after) if retry_after.isdigit() else 0.1 * 2**attempt
    return min(wanted, LONGEST_WAIT_SECONDS)
