"""Modal secrets: named sets of environment variables, and unnamed ones that belong to an app (`Secret.from_dict`).

The values live only in the store's file and in the environment of containers; no answer ever carries them.
"""

import json
import time
from collections.abc import Iterable, Mapping

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import Rpcs, not_found
from infra.localcloud.modal.store import Row, Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS secrets (
    id TEXT PRIMARY KEY, environment TEXT NOT NULL, name TEXT, variables TEXT NOT NULL,
    created_at REAL NOT NULL, last_used_at REAL NOT NULL DEFAULT 0, UNIQUE (environment, name)
)
"""
_COLUMNS = "id, environment, name, variables, created_at, last_used_at"


class Secrets:
    def __init__(self, store: Store, environments: Environments) -> None:
        self._store = store
        self._environments = environments
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "SecretGetOrCreate": self.get_or_create,
                "SecretGetInfo": self.get_info,
                "SecretList": self.list_all,
                "SecretUpdate": self.update,
                "SecretDelete": self.delete,
            }
        )

    def variables(self, secret_ids: Iterable[str]) -> dict[str, str]:
        """The variables of these secrets, later ones winning; raises NOT_FOUND for a deleted secret."""
        merged: dict[str, str] = {}
        for secret_id in secret_ids:
            merged |= json.loads(self._by_id(secret_id)[3])
            self._store.execute("UPDATE secrets SET last_used_at = ? WHERE id = ?", time.time(), secret_id)
        return merged

    async def get_or_create(self, request: api_pb2.SecretGetOrCreateRequest) -> api_pb2.SecretGetOrCreateResponse:
        environment = self._environments.resolve(request.environment_name)
        how, name = request.object_creation_type, request.deployment_name
        if how in (
            api_pb2.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP,
            api_pb2.OBJECT_CREATION_TYPE_EPHEMERAL,
        ):
            row = self._insert(environment, None, request.env_dict)
        else:
            row = self._named(environment, name, how, request.env_dict)
            _require(row, request.required_keys)
        return api_pb2.SecretGetOrCreateResponse(secret_id=row[0], metadata=_metadata(row))

    def _named(
        self, environment: str, name: str, how: api_pb2.ObjectCreationType.ValueType, variables: Mapping[str, str]
    ) -> Row:
        row = self._store.row(f"SELECT {_COLUMNS} FROM secrets WHERE environment = ? AND name = ?", environment, name)  # noqa: S608
        if row is None:
            if how == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
                raise not_found(f"Secret {name!r} not found in environment {environment!r}")
            return self._insert(environment, name, variables)
        if how == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(
                Status.ALREADY_EXISTS, f"Secret {name!r} already exists in environment {environment!r}; use --force"
            )
        if how == api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            self._write(row[0], dict(variables))
            return self._by_id(row[0])
        return row

    async def get_info(self, request: api_pb2.SecretGetInfoRequest) -> api_pb2.SecretGetInfoResponse:
        return api_pb2.SecretGetInfoResponse(metadata=_metadata(self._by_id(request.secret_id)))

    async def list_all(self, request: api_pb2.SecretListRequest) -> api_pb2.SecretListResponse:
        environment = self._environments.resolve(request.environment_name)
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM secrets WHERE environment = ? AND name IS NOT NULL AND created_at < ?"  # noqa: S608
            " ORDER BY created_at DESC LIMIT ?",
            environment,
            request.pagination.created_before or time.time() + 1,
            request.pagination.max_objects or 100,
        )
        return api_pb2.SecretListResponse(
            environment_name=environment,
            items=[
                api_pb2.SecretListItem(
                    label=row[2],
                    created_at=row[4],
                    last_used_at=row[5],
                    environment_name=environment,
                    secret_id=row[0],
                    metadata=_metadata(row),
                )
                for row in rows
            ],
        )

    async def update(self, request: api_pb2.SecretUpdateRequest) -> Empty:
        variables = json.loads(self._by_id(request.secret_id)[3])
        self._write(request.secret_id, variables | {update.key: update.value for update in request.updates})
        return Empty()

    async def delete(self, request: api_pb2.SecretDeleteRequest) -> Empty:
        self._store.execute("DELETE FROM secrets WHERE id = ?", request.secret_id)
        return Empty()

    def _insert(self, environment: str, name: str | None, variables: Mapping[str, str]) -> Row:
        secret_id = new_id("st")
        self._store.execute(
            "INSERT INTO secrets (id, environment, name, variables, created_at) VALUES (?, ?, ?, ?, ?)",
            secret_id,
            environment,
            name,
            json.dumps(dict(variables)),
            time.time(),
        )
        return self._by_id(secret_id)

    def _write(self, secret_id: str, variables: dict[str, str]) -> None:
        self._store.execute("UPDATE secrets SET variables = ? WHERE id = ?", json.dumps(variables), secret_id)

    def _by_id(self, secret_id: str) -> Row:
        row = self._store.row(f"SELECT {_COLUMNS} FROM secrets WHERE id = ?", secret_id)  # noqa: S608
        if row is None:
            raise not_found(f"Secret {secret_id} not found; deploy the app again after creating its secrets")
        return row


def _metadata(row: Row) -> api_pb2.SecretMetadata:
    _, environment, name, variables, created_at, last_used_at = row
    return api_pb2.SecretMetadata(
        name=name or "",
        environment_name=environment,
        keys=sorted(json.loads(variables)),
        creation_info=api_pb2.CreationInfo(created_at=created_at, created_by="local"),
        last_used_at=last_used_at,
    )


def _require(row: Row, keys: Iterable[str]) -> None:
    missing = sorted(set(keys) - set(json.loads(row[3])))
    if missing:
        raise GRPCError(Status.FAILED_PRECONDITION, f"Secret {row[2]!r} is missing key(s): {', '.join(missing)}")
