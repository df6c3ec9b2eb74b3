"""The account side of R2 in memory, for tests of the Cloudflare stand-in alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.localcloud.r2.protocol import (
    Bucket,
    BucketExistsError,
    BucketNotEmptyError,
    BucketNotFoundError,
    CorsRule,
    Permission,
)


@dataclass
class FakeBuckets:
    """`filled` names buckets that hold objects; `granted` maps a key id to (secret, bucket, permission)."""

    made: dict[str, Bucket] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    granted: dict[str, tuple[str, str, Permission]] = field(default_factory=dict)
    cors_rules: dict[str, list[CorsRule]] = field(default_factory=dict)
    lifecycle_rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def create_bucket(self, name: str, location: str | None = None, storage_class: str = "Standard") -> Bucket:
        if name in self.made:
            raise BucketExistsError(name)
        self.made[name] = Bucket(name, datetime.now(UTC), location, storage_class)
        return self.made[name]

    def delete_bucket(self, name: str) -> None:
        self.bucket(name)
        if name in self.filled:
            raise BucketNotEmptyError(name)
        for kept in (self.made, self.cors_rules, self.lifecycle_rules):
            kept.pop(name, None)

    def has_bucket(self, name: str) -> bool:
        return name in self.made

    def bucket(self, name: str) -> Bucket:
        if name not in self.made:
            raise BucketNotFoundError(name)
        return self.made[name]

    def buckets(self) -> list[Bucket]:
        return [self.made[name] for name in sorted(self.made)]

    def set_cors(self, name: str, rules: Sequence[CorsRule] | None) -> None:
        self.bucket(name)
        self.cors_rules[name] = list(rules or [])

    def cors(self, name: str) -> list[CorsRule]:
        self.bucket(name)
        return self.cors_rules.get(name, [])

    def set_lifecycle(self, name: str, rules: Sequence[dict[str, Any]]) -> None:
        self.bucket(name)
        self.lifecycle_rules[name] = list(rules)

    def lifecycle(self, name: str) -> list[dict[str, Any]]:
        self.bucket(name)
        return self.lifecycle_rules.get(name, [])

    def grant(self, access_key_id: str, secret_access_key: str, bucket: str, permission: Permission) -> None:
        self.granted[access_key_id] = (secret_access_key, bucket, permission)

    def revoke(self, access_key_id: str) -> None:
        self.granted.pop(access_key_id, None)
