"""Deployments of a project: create by direct upload, list, read, delete, roll production back.

A deployment never changes. A branch other than the production branch makes a preview under the branch's alias; the
newest preview of a branch holds the alias.
"""

import logging
import re
import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.envelope import CloudflareError, Json, ok, page, timestamp
from infra.localcloud.cloudflare.pages import configs
from infra.localcloud.cloudflare.pages.assets import Assets
from infra.localcloud.cloudflare.pages.projects import PROJECT
from infra.localcloud.cloudflare.pages.records import PagesRecords
from infra.localcloud.cloudflare.pages.upload_form import UploadForm, upload_form
from infra.localcloud.cloudflare.pages.views import deployment_view
from infra.localcloud.cloudflare.site.headers import parse_headers
from infra.localcloud.cloudflare.site.redirects import parse_redirects

MOST_ALIAS_CHARACTERS = 28
_DEPLOYMENTS = PROJECT + "/deployments"
_DEPLOYMENT = _DEPLOYMENTS + "/{deployment}"
_log = logging.getLogger(__name__)


class Deployments:
    def __init__(self, records: PagesRecords, assets: Assets) -> None:
        self._records = records
        self._assets = assets

    def routes(self) -> list[Route]:
        return [
            Route(_DEPLOYMENTS, self.create, methods=["POST"]),
            Route(_DEPLOYMENTS, self.list, methods=["GET"]),
            Route(_DEPLOYMENT, self.get, methods=["GET"]),
            Route(_DEPLOYMENT, self.delete, methods=["DELETE"]),
            Route(_DEPLOYMENT + "/rollback", self.roll_back, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        form = await upload_form(request)
        project = self._records.project(request.path_params["project"])
        missing = sorted(path for path, key in form.manifest.items() if not self._assets.has(key))
        if missing:
            message = f"{len(missing)} files of the manifest were not uploaded, first {missing[0]!r}; upload them again"
            raise CloudflareError(400, 8000097, message)
        _warn_of_ignored_rules(project["name"], form)
        branch = form.branch or project["production_branch"]
        environment = "production" if branch == project["production_branch"] else "preview"
        project = _with_config_hash(project, environment, form.wrangler_config_hash)
        deployment = {
            **self._fresh_ids(project["name"]),
            "project": project["name"],
            "created_on": timestamp(),
            "environment": environment,
            "branch": branch,
            "alias": None if environment == "production" else branch_alias(branch),
            "commit": {
                "commit_hash": form.commit_hash,
                "commit_message": form.commit_message,
                "commit_dirty": form.commit_dirty,
            },
            "env_vars": project["deployment_configs"][environment]["env_vars"] or {},
            "manifest": form.manifest,
            "headers": form.headers,
            "redirects": form.redirects,
        }
        self._records.add_deployment(project, deployment)
        return ok(deployment_view(project, deployment))

    async def list(self, request: Request) -> Response:
        project = self._records.project(request.path_params["project"])
        wanted = request.query_params.get("env")
        if wanted not in (None, *configs.ENVIRONMENTS):
            raise CloudflareError(400, 8000000, f"env is {wanted!r}; choose from {', '.join(configs.ENVIRONMENTS)}")
        deployments = [
            deployment_view(project, deployment)
            for deployment in self._records.deployments(project["name"])
            if wanted in (None, deployment["environment"])
        ]
        return page(request, deployments, per_page=25)

    async def get(self, request: Request) -> Response:
        project, deployment = self._found(request)
        return ok(deployment_view(project, deployment))

    async def delete(self, request: Request) -> Response:
        project, deployment = self._found(request)
        if deployment["id"] == project["canonical"]:
            raise CloudflareError(400, 8000034, "You cannot delete the active production deployment.")
        if self._holds_alias(deployment) and request.query_params.get("force") != "true":
            message = "You cannot delete an aliased deployment without a `?force=true` parameter."
            raise CloudflareError(400, 8000035, message)
        self._records.remove_deployment(deployment)
        return ok(None)

    async def roll_back(self, request: Request) -> Response:
        project, deployment = self._found(request)
        if deployment["environment"] != "production":
            message = "You can only roll back to a successful production deployment, and this one is a preview."
            raise CloudflareError(400, 8000036, message)
        self._records.save_project(project | {"canonical": deployment["id"]})
        return ok(deployment_view(project, deployment))

    def _found(self, request: Request) -> tuple[Json, Json]:
        name = request.path_params["project"]
        return self._records.project(name), self._records.deployment(name, request.path_params["deployment"])

    def _holds_alias(self, deployment: Json) -> bool:
        if deployment["alias"] is None:
            return False
        newest = next(
            one for one in self._records.deployments(deployment["project"]) if one["alias"] == deployment["alias"]
        )
        return bool(newest["id"] == deployment["id"])

    def _fresh_ids(self, project: str) -> Json:
        taken = {one["short_id"] for one in self._records.deployments(project)}
        while True:
            deployment_id = str(uuid.uuid4())
            if deployment_id[:8] not in taken:
                return {"id": deployment_id, "short_id": deployment_id[:8]}


def branch_alias(branch: str) -> str:
    """The DNS label of a branch: lower case, runs of other characters become one '-', at most 28 characters."""
    return re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:MOST_ALIAS_CHARACTERS].strip("-")


def _with_config_hash(project: Json, environment: str, config_hash: str | None) -> Json:
    if config_hash is None:
        return project
    change = {environment: {"wrangler_config_hash": config_hash}}
    return project | {"deployment_configs": configs.merged(project["deployment_configs"], change)}


def _warn_of_ignored_rules(project: str, form: UploadForm) -> None:
    """Pages deploys although it ignores broken rules; so does this, and says which."""
    for file, problems in (
        ("_headers", parse_headers(form.headers).problems),
        ("_redirects", parse_redirects(form.redirects).problems),
    ):
        for problem in problems:
            _log.warning("%s: %s is ignored in part: %s", project, file, problem)
