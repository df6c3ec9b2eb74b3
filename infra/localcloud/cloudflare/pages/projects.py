"""Pages projects: create, list, read, edit, delete. Direct uploads only: a Git source is refused (501)."""

import re
import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok, page, timestamp, unimplemented
from infra.localcloud.cloudflare.pages import configs
from infra.localcloud.cloudflare.pages.records import PagesRecords
from infra.localcloud.cloudflare.pages.views import project_view

PROJECTS = "/accounts/{account}/pages/projects"
PROJECT = PROJECTS + "/{project}"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,56}[a-z0-9])?")
_BUILD_CONFIG: Json = {
    "build_command": None,
    "destination_dir": None,
    "build_caching": None,
    "root_dir": None,
    "web_analytics_tag": None,
    "web_analytics_token": None,
}


class Projects:
    def __init__(self, records: PagesRecords) -> None:
        self._records = records

    def routes(self) -> list[Route]:
        return [
            Route(PROJECTS, self.create, methods=["POST"]),
            Route(PROJECTS, self.list, methods=["GET"]),
            Route(PROJECT, self.get, methods=["GET"]),
            Route(PROJECT, self.patch, methods=["PATCH"]),
            Route(PROJECT, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        body = await json_body(request)
        name = body.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise configs.invalid(f"name is {name!r}; use 1 to 58 of a-z, 0-9 and '-' between")
        if self._records.find_project(name) is not None:
            raise CloudflareError(409, 8000002, "A project with this name already exists. Choose a different name.")
        fresh = {
            "id": str(uuid.uuid4()),
            "name": name,
            "created_on": timestamp(),
            "production_branch": None,
            "build_config": _BUILD_CONFIG,
            "deployment_configs": configs.defaults(),
            "canonical": None,
        }
        project = _changed(fresh, body)
        self._records.save_project(project)
        return ok(project_view(self._records, project))

    async def list(self, request: Request) -> Response:
        projects = [project_view(self._records, project) for project in self._records.projects()]
        return page(request, projects, per_page=10)

    async def get(self, request: Request) -> Response:
        return ok(project_view(self._records, self._project(request)))

    async def patch(self, request: Request) -> Response:
        body = await json_body(request)
        project = _changed(self._project(request), body)
        self._records.save_project(project)
        return ok(project_view(self._records, project))

    async def delete(self, request: Request) -> Response:
        project = self._project(request)
        if self._records.domains(project["name"]):
            message = "Your project still has custom domains. Delete them before you delete the project."
            raise CloudflareError(409, 8000028, message)
        self._records.remove_project(project["name"])
        return ok(None)

    def _project(self, request: Request) -> Json:
        return self._records.project(request.path_params["project"])


def _changed(project: Json, body: Json) -> Json:
    if body.get("source") is not None:
        raise unimplemented("Pages projects with a Git source; deploy by direct upload")
    if body.get("name", project["name"]) != project["name"]:
        raise unimplemented("renaming a Pages project")
    branch = body.get("production_branch", project["production_branch"])
    if not isinstance(branch, str) or not branch:
        raise configs.invalid(f"production_branch is {branch!r}; name a branch")
    build_config = body.get("build_config") or {}
    unknown = sorted(set(build_config) - set(_BUILD_CONFIG))
    if unknown:
        raise configs.invalid(f"build_config has the unknown key {unknown[0]!r}")
    return project | {
        "production_branch": branch,
        "build_config": project["build_config"] | build_config,
        "deployment_configs": configs.merged(project["deployment_configs"], body.get("deployment_configs")),
    }
