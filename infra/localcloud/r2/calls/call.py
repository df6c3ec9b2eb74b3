"""What every handler gets: the request, who signed it, and the stores."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.localcloud.r2 import errors
from infra.localcloud.r2.authentication import Signer
from infra.localcloud.r2.http import Answer, Request
from infra.localcloud.r2.store.credentials import Grant
from infra.localcloud.r2.store.storage import Storage

_SWEEP_AT = 10_000


@dataclass(frozen=True)
class Call:
    """`bucket` and `key` are those of the path; `now` in Unix seconds."""

    request: Request
    signer: Signer
    grant: Grant
    now: float

    @property
    def bucket(self) -> str:
        return self.request.bucket

    @property
    def key(self) -> str:
        return self.request.key


@dataclass
class WriteLimit:
    """At most `per_second` writes of one key; None: any. R2 allows 1 (developers.cloudflare.com/r2/platform/limits)."""

    per_second: float | None = None
    _last: dict[tuple[str, str], float] = field(default_factory=dict)

    def admit(self, bucket: str, key: str) -> None:
        """Raises TooManyRequests, else counts the write."""
        if self.per_second is None:
            return
        now, interval = time.monotonic(), 1 / self.per_second
        if now - self._last.get((bucket, key), float("-inf")) < interval:
            raise errors.TooManyRequests
        if len(self._last) >= _SWEEP_AT:
            self._last = {name: at for name, at in self._last.items() if now - at < interval}
        self._last[bucket, key] = now


@dataclass(frozen=True)
class Context:
    storage: Storage
    limit: WriteLimit


Handler = Callable[[Context, Call], Awaitable[Answer]]


def require_bucket(context: Context, call: Call) -> None:
    if not context.storage.buckets.has(call.bucket):
        raise errors.NoSuchBucket


def iso_time(seconds: float) -> str:
    """Unix seconds as S3's documents write them, e.g. 2026-11-22T09:46:00.123Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
