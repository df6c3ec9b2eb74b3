"""Who writes, what they had seen, and the key that makes repeating the write safe."""

from dataclasses import dataclass
from typing import NamedTuple

from app.kit.owner import SYSTEM_SESSION


class Idempotency(NamedTuple):
    """A client's key and the hash of the request it belongs to."""

    key: str
    request_sha256: str


@dataclass(frozen=True)
class Intent:
    """`seen_version` None: the caller does not care which version it changes (its handler checks revisions itself)."""

    session: str
    seen_version: int | None = None
    idempotency: Idempotency | None = None


SYSTEM = Intent(SYSTEM_SESSION)
