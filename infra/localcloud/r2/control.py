"""The account side of R2: buckets, their rules, and keys. Calls may come from any thread."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.localcloud.r2 import lifecycle
from infra.localcloud.r2.protocol import (
    Bucket,
    BucketNotEmptyError,
    BucketNotFoundError,
    CorsRule,
    InvalidBucketNameError,
    Permission,
)
from infra.localcloud.r2.store.credentials import Grant
from infra.localcloud.r2.store.storage import Storage

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Control:
    """Implements `BucketControl`."""

    def __init__(self, storage: Storage, clock: Callable[[], float]) -> None:
        self._storage = storage
        self._clock = clock

    def create_bucket(self, name: str, location: str | None = None, storage_class: str = "Standard") -> Bucket:
        if not _BUCKET_NAME.fullmatch(name):
            raise InvalidBucketNameError(name)
        bucket = Bucket(name, datetime.fromtimestamp(self._clock(), UTC), location, storage_class)
        self._storage.buckets.create(bucket, lifecycle.DEFAULT_RULES)
        return bucket

    def delete_bucket(self, name: str) -> None:
        storage = self._storage
        blobs: list[str] = []
        with storage.database.transaction():
            if not storage.buckets.has(name):
                raise BucketNotFoundError(name)
            if storage.objects.any_in(name):
                raise BucketNotEmptyError(name)
            for upload in storage.uploads.in_bucket(name):
                blobs += storage.uploads.delete(upload)
            storage.buckets.delete(name)
        storage.blobs.remove(blobs)

    def has_bucket(self, name: str) -> bool:
        return self._storage.buckets.has(name)

    def bucket(self, name: str) -> Bucket:
        return self._storage.buckets.get(name)

    def buckets(self) -> list[Bucket]:
        return self._storage.buckets.all()

    def set_cors(self, name: str, rules: Sequence[CorsRule] | None) -> None:
        self._storage.buckets.set_cors(name, rules or [])

    def cors(self, name: str) -> list[CorsRule]:
        return self._storage.buckets.cors(name)

    def set_lifecycle(self, name: str, rules: Sequence[dict[str, Any]]) -> None:
        self._storage.buckets.set_lifecycle(name, rules)

    def lifecycle(self, name: str) -> list[dict[str, Any]]:
        return self._storage.buckets.lifecycle(name)

    def grant(self, access_key_id: str, secret_access_key: str, bucket: str, permission: Permission) -> None:
        if permission not in ("read", "write"):
            raise ValueError(f"permission {permission!r} is neither 'read' nor 'write'")
        self._storage.credentials.put(access_key_id, Grant(secret_access_key, bucket, permission))

    def revoke(self, access_key_id: str) -> None:
        self._storage.credentials.delete(access_key_id)
