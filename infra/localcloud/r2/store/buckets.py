"""Buckets with their CORS and lifecycle rules."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from infra.localcloud.r2.protocol import Bucket, BucketExistsError, BucketNotFoundError, CorsRule
from infra.localcloud.r2.store.database import Database, Row

_COLUMNS = "name, created_at, location, storage_class"


class BucketStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, bucket: Bucket, lifecycle: Sequence[dict[str, Any]]) -> None:
        """Raises BucketExistsError."""
        with self._database.transaction():
            if self.has(bucket.name):
                raise BucketExistsError(bucket.name)
            self._database.run(
                f"insert into buckets({_COLUMNS}, cors, lifecycle) values(?, ?, ?, ?, '[]', ?)",
                (
                    bucket.name,
                    bucket.created_at.timestamp(),
                    bucket.location,
                    bucket.storage_class,
                    json.dumps(list(lifecycle)),
                ),
            )

    def delete(self, name: str) -> None:
        self._database.run("delete from buckets where name = ?", (name,))

    def has(self, name: str) -> bool:
        return self._database.row("select 1 from buckets where name = ?", (name,)) is not None

    def get(self, name: str) -> Bucket:
        """Raises BucketNotFoundError."""
        return _bucket(self._one(_COLUMNS, name))

    def all(self) -> list[Bucket]:
        return [_bucket(row) for row in self._database.rows(f"select {_COLUMNS} from buckets order by name")]  # noqa: S608

    def cors(self, name: str) -> list[CorsRule]:
        return [_cors_rule(fields) for fields in json.loads(self._one("cors", name)[0])]

    def set_cors(self, name: str, rules: Sequence[CorsRule]) -> None:
        self._set("cors", name, [asdict(rule) for rule in rules])

    def lifecycle(self, name: str) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = json.loads(self._one("lifecycle", name)[0])
        return rules

    def set_lifecycle(self, name: str, rules: Sequence[dict[str, Any]]) -> None:
        self._set("lifecycle", name, list(rules))

    def _one(self, columns: str, name: str) -> Row:
        row = self._database.row(f"select {columns} from buckets where name = ?", (name,))  # noqa: S608
        if row is None:
            raise BucketNotFoundError(name)
        return row

    def _set(self, column: str, name: str, rules: list[dict[str, Any]]) -> None:
        with self._database.transaction():
            self._one(column, name)
            self._database.run(f"update buckets set {column} = ? where name = ?", (json.dumps(rules), name))  # noqa: S608


def _bucket(row: Row) -> Bucket:
    name, created_at, location, storage_class = row
    return Bucket(name, datetime.fromtimestamp(created_at, UTC), location, storage_class)


def _cors_rule(fields: dict[str, Any]) -> CorsRule:
    lists = {name: tuple(fields[name]) for name in ("origins", "methods", "headers", "expose_headers")}
    return CorsRule(**lists, max_age_seconds=fields["max_age_seconds"], id=fields["id"])
