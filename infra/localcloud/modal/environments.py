"""Modal environments: the names that keep apps, secrets, dicts and queues apart. `main` is the default one."""

import time
from collections.abc import Iterable

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import Rpcs, not_found
from infra.localcloud.modal.store import Store

DEFAULT = "main"
IMAGE_BUILDER_VERSION = "2025.06"

_SCHEMA = "CREATE TABLE IF NOT EXISTS environments (name TEXT PRIMARY KEY, id TEXT NOT NULL, created_at REAL NOT NULL)"


class Environments:
    """`names` exist from the start beside `main`; others are made by `modal environment create`."""

    def __init__(self, store: Store, names: Iterable[str]) -> None:
        self._store = store
        store.create(_SCHEMA)
        for name in (DEFAULT, *names):
            self._create(name)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "EnvironmentCreate": self.create,
                "EnvironmentGetOrCreate": self.get_or_create,
                "EnvironmentList": self.list_all,
            }
        )

    def resolve(self, name: str) -> str:
        """The default for an empty name; raises NOT_FOUND for an environment that nobody created."""
        name = name or DEFAULT
        if self._id(name) is None:
            raise not_found(f"Environment {name!r} not found; create it with `modal environment create {name}`")
        return name

    async def create(self, request: api_pb2.EnvironmentCreateRequest) -> Empty:
        if not self._create(request.name):
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment {request.name!r} already exists")
        return Empty()

    async def get_or_create(
        self, request: api_pb2.EnvironmentGetOrCreateRequest
    ) -> api_pb2.EnvironmentGetOrCreateResponse:
        name = request.deployment_name or DEFAULT
        if request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS and self._id(name):
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment {name!r} already exists")
        if request.object_creation_type != api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            self._create(name)
        name = self.resolve(name)
        settings = api_pb2.EnvironmentSettings(image_builder_version=IMAGE_BUILDER_VERSION)
        return api_pb2.EnvironmentGetOrCreateResponse(
            environment_id=self._id(name) or "",
            metadata=api_pb2.EnvironmentMetadata(name=name, settings=settings),
        )

    async def list_all(self, request: Empty) -> api_pb2.EnvironmentListResponse:
        rows = self._store.rows("SELECT name, id, created_at FROM environments ORDER BY name")
        return api_pb2.EnvironmentListResponse(
            items=[
                api_pb2.EnvironmentListItem(
                    name=name, environment_id=environment_id, created_at=created_at, default=name == DEFAULT
                )
                for name, environment_id, created_at in rows
            ]
        )

    def _id(self, name: str) -> str | None:
        row = self._store.row("SELECT id FROM environments WHERE name = ?", name)
        return row[0] if row else None

    def _create(self, name: str) -> bool:
        added = self._store.execute(
            "INSERT OR IGNORE INTO environments VALUES (?, ?, ?)", name, new_id("en"), time.time()
        )
        return added == 1
