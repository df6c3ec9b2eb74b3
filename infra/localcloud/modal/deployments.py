"""Deployments: the numbered versions of an app. The newest one says which definition of each function is live.

A deploy uploads definitions first and publishes them together, so a deploy that fails half-way changes nothing.
"""

import time

from grpclib import GRPCError, Status
from modal_proto import api_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.localcloud.modal.apps import App, Apps
from infra.localcloud.modal.functions import Definition, Functions
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.rpc import Rpcs, not_found
from infra.localcloud.modal.store import Row, Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deployments (
    app_id TEXT NOT NULL REFERENCES apps (id), version INTEGER NOT NULL, request BLOB NOT NULL,
    deployed_at REAL NOT NULL, rollback_version INTEGER NOT NULL, PRIMARY KEY (app_id, version)
)
"""


class Deployments:
    def __init__(self, store: Store, apps: Apps, functions: Functions, mounts: Mounts) -> None:
        self._store = store
        self._apps = apps
        self._functions = functions
        self._mounts = mounts
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "AppGetLayout": self.get_layout,
                "AppPublish": self.publish,
                "AppRollback": self.rollback,
                "AppDeploymentHistory": self.history,
                "FunctionGet": self.get_function,
            }
        )

    def routes(self) -> list[Route]:
        return [Route("/apps/{environment}/{name}", self._page)]

    def live_definitions(self, app_id: str) -> dict[str, Definition]:
        """By function id; empty unless the app is deployed."""
        app = self._apps.app(app_id)
        if not app.is_deployed:
            return {}
        published = self._published(app.id, app.version)
        return {
            function_id: self._functions.definition(published.definition_ids[function_id])
            for function_id in published.function_ids.values()
        }

    def layout(self, app_id: str) -> api_pb2.AppLayout:
        """The app's functions and what they depend on, with the metadata that a container needs to refer to them."""
        layout = api_pb2.AppLayout()
        dependencies = set()
        for function_id, definition in self.live_definitions(app_id).items():
            layout.function_ids[definition.name] = function_id
            layout.objects.add(object_id=function_id, function_handle_metadata=definition.metadata())
            dependencies |= {dependency.object_id for dependency in definition.function.object_dependencies}
        for object_id in sorted(dependencies):
            is_mount = object_id.startswith("mo-")
            layout.objects.add(
                object_id=object_id, mount_handle_metadata=self._mounts.metadata(object_id) if is_mount else None
            )
        return layout

    async def get_layout(self, request: api_pb2.AppGetLayoutRequest) -> api_pb2.AppGetLayoutResponse:
        return api_pb2.AppGetLayoutResponse(app_layout=self.layout(request.app_id))

    async def get_function(self, request: api_pb2.FunctionGetRequest) -> api_pb2.FunctionGetResponse:
        app = self._apps.deployed(request.environment_name, request.app_name)
        for definition in self.live_definitions(app.id).values():
            if definition.name == request.object_tag:
                return api_pb2.FunctionGetResponse(
                    function_id=definition.function_id,
                    handle_metadata=definition.metadata(),
                    function=definition.data,
                )
        raise not_found(f"App {app.name!r} has no function {request.object_tag!r}")

    async def publish(self, request: api_pb2.AppPublishRequest) -> api_pb2.AppPublishResponse:
        missing = set(request.function_ids.values()) - set(request.definition_ids)
        if missing:
            raise GRPCError(Status.INVALID_ARGUMENT, f"AppPublish: no definition for {', '.join(sorted(missing))}")
        app = self._deploy(self._apps.app(request.app_id), request, rollback_version=0)
        return api_pb2.AppPublishResponse(url=self._apps.url(app), deployed_at=app.deployed_at)

    async def rollback(self, request: api_pb2.AppRollbackRequest) -> api_pb2.AppRollbackResponse:
        """Publishes an earlier version again as a new one; version -1 is the one before the current."""
        app = self._apps.app(request.app_id)
        version = request.version if request.version > 0 else app.version + request.version
        app = self._deploy(app, self._published(app.id, version), rollback_version=version)
        return api_pb2.AppRollbackResponse(url=self._apps.url(app), deployed_at=app.deployed_at)

    async def history(self, request: api_pb2.AppDeploymentHistoryRequest) -> api_pb2.AppDeploymentHistoryResponse:
        rows = self._store.rows(
            "SELECT version, request, deployed_at, rollback_version FROM deployments WHERE app_id = ?"
            " ORDER BY version DESC",
            request.app_id,
        )
        return api_pb2.AppDeploymentHistoryResponse(
            app_deployment_histories=[_history_entry(request.app_id, row) for row in rows],
            production_app_version=self._apps.app(request.app_id).version,
        )

    def _deploy(self, app: App, request: api_pb2.AppPublishRequest, rollback_version: int) -> App:
        version, deployed_at = app.version + 1, time.time()
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO deployments VALUES (?, ?, ?, ?, ?)",
                app.id,
                version,
                request.SerializeToString(),
                deployed_at,
                rollback_version,
            )
            self._apps.mark_deployed(app.id, version, deployed_at)
        self._apps.fleet.refresh(app.id)
        return self._apps.app(app.id)

    def _published(self, app_id: str, version: int) -> api_pb2.AppPublishRequest:
        row = self._store.row("SELECT request FROM deployments WHERE app_id = ? AND version = ?", app_id, version)
        if row is None:
            raise not_found(f"App {app_id} has no version {version}; `modal app history` lists the versions")
        return api_pb2.AppPublishRequest.FromString(row[0])

    async def _page(self, request: Request) -> Response:
        """What the URL printed by `modal deploy` shows."""
        try:
            app = self._apps.deployed(request.path_params["environment"], request.path_params["name"])
        except GRPCError as error:
            return JSONResponse({"error": error.message}, 404)
        return JSONResponse(
            {
                "app": app.name,
                "environment": app.environment,
                "version": app.version,
                "tag": self._published(app.id, app.version).deployment_tag,
                "functions": sorted(definition.name for definition in self.live_definitions(app.id).values()),
                "containers": self._apps.fleet.count(app.id),
            }
        )


def _history_entry(app_id: str, row: Row) -> api_pb2.AppDeploymentHistory:
    version, request, deployed_at, rollback_version = row
    published = api_pb2.AppPublishRequest.FromString(request)
    return api_pb2.AppDeploymentHistory(
        app_id=app_id,
        version=version,
        deployed_at=deployed_at,
        client_version=published.client_version,
        tag=published.deployment_tag,
        commit_info=published.commit_info,
        rollback_version=rollback_version,
        rollback_allowed=True,
    )
