"""Apps: created by their first deploy, found by name within an environment, stopped.

An app keeps its id over its deployments; after a stop the next deploy makes a new app. What is deployed is in
`deployments.py`.
"""

import time
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import Rpcs, not_found, unimplemented
from infra.localcloud.modal.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (
    id TEXT PRIMARY KEY, environment TEXT NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL,
    created_at REAL NOT NULL, deployed_at REAL NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
    stopped_at REAL NOT NULL DEFAULT 0
)
"""


class Fleet(Protocol):
    """What an app needs of the containers that run its functions."""

    def refresh(self, app_id: str) -> None:
        """The app's live definitions changed."""

    def count(self, app_id: str) -> int:
        """Containers of the app."""


@dataclass(frozen=True)
class App:
    """`version` counts deployments from 1; times are seconds since 1970, 0 for never."""

    id: str
    environment: str
    name: str
    state: int
    created_at: float
    deployed_at: float
    version: int
    stopped_at: float

    @property
    def is_deployed(self) -> bool:
        return self.state == api_pb2.APP_STATE_DEPLOYED

    @property
    def lifecycle(self) -> api_pb2.AppLifecycle:
        return api_pb2.AppLifecycle(
            app_state=api_pb2.AppState.ValueType(self.state),
            created_at=self.created_at,
            deployed_at=self.deployed_at,
            version=self.version,
            stopped_at=self.stopped_at,
        )


class Apps:
    """`fleet` and `base_url` are set while the stand-in is put together."""

    fleet: Fleet
    base_url = ""

    def __init__(self, store: Store, environments: Environments) -> None:
        self._store = store
        self._environments = environments
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "AppCreate": self.create,
                "AppGetOrCreate": self.get_or_create,
                "AppGetByDeploymentName": self.get_by_name,
                "AppGetLifecycle": self.get_lifecycle,
                "AppHeartbeat": self.heartbeat,
                "AppClientDisconnect": self.disconnect,
                "AppStop": self.stop,
                "AppList": self.list_all,
            }
        )

    def app(self, app_id: str) -> App:
        row = self._store.row("SELECT * FROM apps WHERE id = ?", app_id)
        if row is None:
            raise not_found(f"App {app_id!r} not found")
        return App(*row)

    def deployed(self, environment: str, name: str) -> App:
        """Raises NOT_FOUND when nothing is deployed under this name there."""
        environment = self._environments.resolve(environment)
        app = self._newest(environment, name, api_pb2.APP_STATE_DEPLOYED)
        if app is None:
            raise not_found(f"App {name!r} not found in environment {environment!r}")
        return app

    def all_deployed(self) -> list[App]:
        rows = self._store.rows("SELECT * FROM apps WHERE state = ?", api_pb2.APP_STATE_DEPLOYED)
        return [App(*row) for row in rows]

    def mark_deployed(self, app_id: str, version: int, deployed_at: float) -> None:
        self._store.execute(
            "UPDATE apps SET state = ?, version = ?, deployed_at = ? WHERE id = ?",
            api_pb2.APP_STATE_DEPLOYED,
            version,
            deployed_at,
            app_id,
        )

    def url(self, app: App) -> str:
        return f"{self.base_url}/apps/{app.environment}/{app.name}"

    async def create(self, request: api_pb2.AppCreateRequest) -> api_pb2.AppCreateResponse:
        if request.app_state != api_pb2.APP_STATE_INITIALIZING:
            raise unimplemented("AppCreate: ephemeral apps (`modal run`, `modal serve`; use `modal deploy`)")
        app_id = new_id("ap")
        self._store.execute(
            "INSERT INTO apps (id, environment, name, state, created_at) VALUES (?, ?, ?, ?, ?)",
            app_id,
            self._environments.resolve(request.environment_name),
            request.description,
            api_pb2.APP_STATE_INITIALIZING,
            time.time(),
        )
        return api_pb2.AppCreateResponse(app_id=app_id, app_page_url=self.url(self.app(app_id)))

    async def get_or_create(self, request: api_pb2.AppGetOrCreateRequest) -> api_pb2.AppGetOrCreateResponse:
        if request.object_creation_type != api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise unimplemented("AppGetOrCreate: create_if_missing")
        app = self.deployed(request.environment_name, request.app_name)
        return api_pb2.AppGetOrCreateResponse(app_id=app.id)

    async def get_by_name(
        self, request: api_pb2.AppGetByDeploymentNameRequest
    ) -> api_pb2.AppGetByDeploymentNameResponse:
        """An empty `app_id` when nothing is deployed under this name; `previous_app_id` when it was stopped."""
        environment = self._environments.resolve(request.environment_name)
        answer = api_pb2.AppGetByDeploymentNameResponse(environment_name=environment)
        if app := self._newest(environment, request.name, api_pb2.APP_STATE_DEPLOYED):
            answer.app_id = app.id
        elif app := self._newest(environment, request.name, api_pb2.APP_STATE_STOPPED):
            answer.previous_app_id = app.id
        if app is not None:
            answer.lifecycle.CopyFrom(app.lifecycle)
        return answer

    async def get_lifecycle(self, request: api_pb2.AppGetLifecycleRequest) -> api_pb2.AppGetLifecycleResponse:
        return api_pb2.AppGetLifecycleResponse(lifecycle=self.app(request.app_id).lifecycle)

    async def heartbeat(self, request: api_pb2.AppHeartbeatRequest) -> Empty:
        return Empty()

    async def disconnect(self, request: api_pb2.AppClientDisconnectRequest) -> Empty:
        """Ends an app whose first deploy failed; a deployed app goes on."""
        if self.app(request.app_id).state == api_pb2.APP_STATE_INITIALIZING:
            self._stop(request.app_id)
        return Empty()

    async def stop(self, request: api_pb2.AppStopRequest) -> Empty:
        self._stop(self.app(request.app_id).id)
        return Empty()

    async def list_all(self, request: api_pb2.AppListRequest) -> api_pb2.AppListResponse:
        rows = self._store.rows(
            "SELECT * FROM apps WHERE environment = ? ORDER BY created_at DESC",
            self._environments.resolve(request.environment_name),
        )
        return api_pb2.AppListResponse(
            apps=[
                api_pb2.AppListResponse.AppListItem(
                    app_id=app.id,
                    name=app.name,
                    description=app.name,
                    state=api_pb2.AppState.ValueType(app.state),
                    created_at=app.created_at,
                    stopped_at=app.stopped_at,
                    n_running_tasks=self.fleet.count(app.id),
                )
                for app in (App(*row) for row in rows)
            ]
        )

    def _newest(self, environment: str, name: str, state: int) -> App | None:
        row = self._store.row(
            "SELECT * FROM apps WHERE environment = ? AND name = ? AND state = ? ORDER BY created_at DESC LIMIT 1",
            environment,
            name,
            state,
        )
        return App(*row) if row else None

    def _stop(self, app_id: str) -> None:
        self._store.execute(
            "UPDATE apps SET state = ?, stopped_at = ? WHERE id = ?", api_pb2.APP_STATE_STOPPED, time.time(), app_id
        )
        self.fleet.refresh(app_id)
