"""What other stand-ins may know of R2's buckets: values, errors and the `BucketControl` they call.

Buckets, CORS rules, lifecycle rules and keys are made here, never over S3: a key scoped to one bucket may not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Permission = Literal["read", "write"]


class BucketControlError(Exception):
    """A call on `BucketControl` was refused; nothing changed."""


class BucketNotFoundError(BucketControlError):
    def __init__(self, name: str) -> None:
        super().__init__(f"bucket {name!r} does not exist; create it first")


class BucketExistsError(BucketControlError):
    def __init__(self, name: str) -> None:
        super().__init__(f"bucket {name!r} exists already; choose another name or use this one")


class BucketNotEmptyError(BucketControlError):
    def __init__(self, name: str) -> None:
        super().__init__(f"bucket {name!r} still holds objects; delete them first")


class InvalidBucketNameError(BucketControlError):
    def __init__(self, name: str) -> None:
        super().__init__(f"bucket name {name!r} must be 3 to 63 of a-z, 0-9 and '-', with no '-' at either end")


@dataclass(frozen=True)
class Bucket:
    """`location` is a hint such as "weur" or None; `storage_class` is "Standard" or "InfrequentAccess"."""

    name: str
    created_at: datetime
    location: str | None
    storage_class: str


@dataclass(frozen=True)
class CorsRule:
    """Who may call from a browser. An origin may hold a `*`; the header `*` allows any; headers match in any case."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    id: str | None = None


class BucketControl(Protocol):
    """The account side of R2. Every call is synchronous, durable when it returns, and may come from any thread.

    A call that names a missing bucket raises BucketNotFoundError.
    """

    def create_bucket(self, name: str, location: str | None = None, storage_class: str = "Standard") -> Bucket:
        """Raises InvalidBucketNameError or BucketExistsError."""
        ...

    def delete_bucket(self, name: str) -> None:
        """Also drops its unfinished uploads; raises BucketNotEmptyError while objects are left."""
        ...

    def has_bucket(self, name: str) -> bool: ...

    def bucket(self, name: str) -> Bucket: ...

    def buckets(self) -> list[Bucket]:
        """All buckets by name."""
        ...

    def set_cors(self, name: str, rules: Sequence[CorsRule] | None) -> None:
        """Replaces the rules; None or an empty list removes them."""
        ...

    def cors(self, name: str) -> list[CorsRule]: ...

    def set_lifecycle(self, name: str, rules: Sequence[dict[str, Any]]) -> None:
        """Replaces the rules, in the shape of Cloudflare's API (`id`, `enabled`, `conditions`, `…Transition`)."""
        ...

    def lifecycle(self, name: str) -> list[dict[str, Any]]: ...

    def grant(self, access_key_id: str, secret_access_key: str, bucket: str, permission: Permission) -> None:
        """Makes or replaces an S3 key for one bucket, which need not exist yet."""
        ...

    def revoke(self, access_key_id: str) -> None:
        """Forgets a key; an unknown one is no error."""
        ...
