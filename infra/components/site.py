"""A static site on Cloudflare Pages: its project, its domain and its deployment."""

from dataclasses import dataclass

import pulumi

from infra.components import cloudflare
from infra.components.command import deploy_step, result
from infra.sources import Shipment, content_hash

PRODUCTION_BRANCH = "main"


@dataclass(frozen=True)
class SiteArgs:
    """`folder`: what to deploy, under the repository's root; `api_url` None means there is nothing to build.

    `managed`: this stack owns the Pages project; otherwise the project has to exist. `shared`: others deploy to it too.

    A built site is the same for every stack; `api_url` and `storage_origins` (where media go) are written beside it.
    `digest`: what the built files must have, None for any. `site_url`: where another Cloudflare than the public one
    answers for deployments.
    """

    account_id: str
    project: str
    managed: bool
    branch: str
    folder: str
    shipment: Shipment
    shared: bool = False
    api_url: str | None = None
    storage_origins: tuple[str, ...] = ()
    digest: str | None = None
    cloudflare_url: str | None = None
    site_url: str | None = None


class Site(pulumi.ComponentResource):
    """Outputs: `project` (name), `subdomain` (its pages.dev name), `deployment_url`, `digest` (of the built files)."""

    project: pulumi.Output[str]
    subdomain: pulumi.Output[str]
    deployment_url: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("reel:site:Site", name, None, opts)
        self.project, given = self._own_project(name, args) if args.managed else self._foreign_project(args)
        self.subdomain = given.apply(lambda subdomain: own_subdomain(args.project, subdomain))
        deployment = deploy_step(
            f"{name}-deploy",
            "pages deploy",
            {
                "account_id": args.account_id,
                "project": self.project,
                "branch": args.branch,
                "folder": args.folder,
                "api_url": args.api_url,
                "storage_origins": list(args.storage_origins),
                "site_digest": args.digest,
                "cloudflare_url": args.cloudflare_url,
                "site_url": args.site_url,
            },
            pulumi.ResourceOptions(parent=self),
            source_hash=content_hash(args.shipment),
        )
        self.deployment_url = result(deployment, "url")
        self.digest = result(deployment, "site_digest")
        self.register_outputs({"project": self.project, "deployment_url": self.deployment_url})

    def _own_project(self, name: str, args: SiteArgs) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        # A destroy leaves a project in place, and in the state, where another stack may live in it.
        project = cloudflare.PagesProject(
            f"{name}-project",
            account_id=args.account_id,
            name=args.project,
            production_branch=PRODUCTION_BRANCH,
            deployment_configs={
                "preview": {"build_image_major_version": 3},
                "production": {"build_image_major_version": 3},
            },
            opts=pulumi.ResourceOptions(parent=self, protect=args.shared, retain_on_delete=args.shared),
        )
        return project.name, project.subdomain

    def _foreign_project(self, args: SiteArgs) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        found = cloudflare.get_pages_project_output(
            account_id=args.account_id, project_name=args.project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return found.apply(lambda project: str(project.name)), found.apply(lambda project: str(project.subdomain))


def own_subdomain(project: str, given: str) -> str:
    """Pages adds to the name where another account has it; raises ValueError, or a stranger's page would be trusted."""
    if given != f"{project}.pages.dev":
        raise ValueError(f"Pages gave {given}, because {project}.pages.dev is taken: choose another reel:pagesProject")
    return given
