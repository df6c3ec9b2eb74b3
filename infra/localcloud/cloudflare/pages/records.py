"""The stored Pages documents by their names: projects, their deployments and custom domains.

Invariant: a project's `canonical` is the id of one of its production deployments, or None before the first.
"""

from infra.localcloud.cloudflare.envelope import CloudflareError, Json
from infra.localcloud.cloudflare.store import Kind, Store

SUFFIX = ".pages.dev"


class PagesRecords:
    def __init__(self, store: Store) -> None:
        self._store = store

    def projects(self) -> list[Json]:
        return self._store.all(Kind.PROJECT)

    def find_project(self, name: str) -> Json | None:
        return self._store.get(Kind.PROJECT, name)

    def project(self, name: str) -> Json:
        project = self.find_project(name)
        if project is None:
            message = "Project not found. The specified project name does not match any of your existing projects."
            raise CloudflareError(404, 8000007, message)
        return project

    def save_project(self, project: Json) -> None:
        self._store.put(Kind.PROJECT, project["name"], project)

    def remove_project(self, name: str) -> None:
        with self._store.together():
            for deployment in self.deployments(name):
                self._store.delete(Kind.DEPLOYMENT, deployment["id"])
            self._store.delete(Kind.PROJECT, name)

    def deployments(self, project: str) -> list[Json]:
        """Newest first."""
        return list(reversed(self._store.all(Kind.DEPLOYMENT, parent=project)))

    def deployment(self, project: str, deployment_id: str) -> Json:
        self.project(project)
        deployment = self._store.get(Kind.DEPLOYMENT, deployment_id)
        if deployment is None or deployment["project"] != project:
            message = "Deployment not found. The specified deployment ID does not match any existing deployments."
            raise CloudflareError(404, 8000009, message)
        return deployment

    def add_deployment(self, project: Json, deployment: Json) -> None:
        """Stores it; a production deployment goes live in the same step."""
        with self._store.together():
            self._store.put(Kind.DEPLOYMENT, deployment["id"], deployment, parent=project["name"])
            if deployment["environment"] == "production":
                self.save_project(project | {"canonical": deployment["id"]})

    def remove_deployment(self, deployment: Json) -> None:
        self._store.delete(Kind.DEPLOYMENT, deployment["id"])

    def domains(self, project: str) -> list[Json]:
        return self._store.all(Kind.DOMAIN, parent=project)

    def find_domain(self, name: str) -> Json | None:
        return self._store.get(Kind.DOMAIN, name)

    def domain(self, project: str, name: str) -> Json:
        self.project(project)
        domain = self.find_domain(name)
        if domain is None or domain["project"] != project:
            raise CloudflareError(404, 8000021, "The domain you have specified does not exist.")
        return domain

    def save_domain(self, domain: Json) -> None:
        self._store.put(Kind.DOMAIN, domain["name"], domain, parent=domain["project"])

    def remove_domain(self, name: str) -> None:
        self._store.delete(Kind.DOMAIN, name)
