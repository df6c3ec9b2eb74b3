"""The registry of dicts and queues: named per environment, or ephemeral for as long as their owner sends heartbeats."""

import time
from dataclasses import dataclass

from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import not_found
from infra.localcloud.modal.store import Row, Store

# The client sends a heartbeat every five minutes (modal._object, EPHEMERAL_OBJECT_HEARTBEAT_SLEEP).
EPHEMERAL_LIFE_S = 900.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, environment TEXT NOT NULL, name TEXT,
    created_at REAL NOT NULL, heartbeat_at REAL, UNIQUE (kind, environment, name)
)
"""
_COLUMNS = "id, environment, name, created_at"


@dataclass(frozen=True)
class Named:
    """`name` is empty for an ephemeral object."""

    id: str
    environment: str
    name: str
    created_at: float

    @property
    def creation_info(self) -> api_pb2.CreationInfo:
        return api_pb2.CreationInfo(created_at=self.created_at, created_by="local")


class Names:
    """One kind of object, for example ("Dict", "di"). Rows of other tables follow a deleted object by foreign key."""

    def __init__(self, store: Store, environments: Environments, kind: str, prefix: str) -> None:
        self._store = store
        self._environments = environments
        self._kind = kind
        self._prefix = prefix
        store.create(_SCHEMA)
        store.execute("DELETE FROM objects WHERE heartbeat_at < ?", time.time() - EPHEMERAL_LIFE_S)

    def get_or_create(self, environment: str, name: str, how: api_pb2.ObjectCreationType.ValueType) -> Named:
        """Raises NOT_FOUND or ALREADY_EXISTS as the creation type asks."""
        environment = self._environments.resolve(environment)
        if how == api_pb2.OBJECT_CREATION_TYPE_EPHEMERAL:
            return self._insert(environment, None, time.time())
        row = self._store.row(
            f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND environment = ? AND name = ?",  # noqa: S608
            self._kind,
            environment,
            name,
        )
        if row is None and how == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"{self._kind} {name!r} not found in environment {environment!r}")
        if row is not None and how == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(
                Status.ALREADY_EXISTS, f"{self._kind} {name!r} already exists in environment {environment!r}"
            )
        return _named(row) if row else self._insert(environment, name, None)

    def by_id(self, object_id: str) -> Named:
        row = self._store.row(f"SELECT {_COLUMNS} FROM objects WHERE id = ? AND kind = ?", object_id, self._kind)  # noqa: S608
        if row is None:
            raise not_found(f"{self._kind} {object_id!r} not found")
        return _named(row)

    def page(self, environment: str, pagination: api_pb2.ListPagination) -> list[Named]:
        """Named objects, newest first."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND environment = ? AND name IS NOT NULL"  # noqa: S608
            " AND created_at < ? ORDER BY created_at DESC LIMIT ?",
            self._kind,
            self._environments.resolve(environment),
            pagination.created_before or time.time() + 1,
            pagination.max_objects or 100,
        )
        return [_named(row) for row in rows]

    def heartbeat(self, object_id: str) -> None:
        self._store.execute(
            "UPDATE objects SET heartbeat_at = ? WHERE id = ? AND heartbeat_at IS NOT NULL", time.time(), object_id
        )

    def delete(self, object_id: str) -> None:
        self._store.execute("DELETE FROM objects WHERE id = ? AND kind = ?", object_id, self._kind)

    def _insert(self, environment: str, name: str | None, heartbeat_at: float | None) -> Named:
        object_id, created_at = new_id(self._prefix), time.time()
        self._store.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)",
            object_id,
            self._kind,
            environment,
            name,
            created_at,
            heartbeat_at,
        )
        return Named(object_id, environment, name or "", created_at)


def _named(row: Row) -> Named:
    return Named(row[0], row[1], row[2] or "", row[3])
