"""Which deployment a host name shows: previews and projects on `pages.dev`, custom domains, and the local host."""

from collections import OrderedDict
from collections.abc import Callable

from infra.localcloud.cloudflare.envelope import Json
from infra.localcloud.cloudflare.pages.records import SUFFIX, PagesRecords
from infra.localcloud.cloudflare.site.respond import Deployed

LOCAL_HOSTS = ("127.0.0.1", "localhost")
_KEPT = 16


class NothingHereError(Exception):
    """No deployment answers for this host; the message says why and what to do."""


class Selector:
    """`is_active(domain)` tells whether a custom domain's DNS points here."""

    def __init__(self, records: PagesRecords, is_active: Callable[[Json], bool], site_project: str) -> None:
        self._records = records
        self._is_active = is_active
        self._site_project = site_project
        self._ready: OrderedDict[str, Deployed] = OrderedDict()

    def deployed(self, host: str) -> Deployed:
        """For a host name without port, in lower case; raises NothingHereError."""
        if host in LOCAL_HOSTS:
            return self._production(self._site_project)
        if host.endswith(SUFFIX):
            label, _, project = host.removesuffix(SUFFIX).rpartition(".")
            return self._preview(project, label) if label else self._production(project)
        domain = self._records.find_domain(host)
        if domain is None:
            raise NothingHereError(f"{host} is no custom domain of a Pages project; add it to one")
        if not self._is_active(domain):
            target = domain["project"] + SUFFIX
            raise NothingHereError(f"{host} is pending; point a CNAME record of it to {target}")
        return self._production(domain["project"])

    def _production(self, name: str) -> Deployed:
        project = self._records.find_project(name)
        if project is None:
            raise NothingHereError(f"there is no Pages project {name!r}; create it first")
        if project["canonical"] is None:
            raise NothingHereError(f"Pages project {name!r} has no production deployment; deploy a site to it")
        return self._prepared(self._records.deployment(name, project["canonical"]))

    def _preview(self, project: str, label: str) -> Deployed:
        for deployment in self._records.deployments(project):
            if label in (deployment["short_id"], deployment["alias"]):
                return self._prepared(deployment)
        raise NothingHereError(f"Pages project {project!r} has no deployment or alias {label!r}")

    def _prepared(self, deployment: Json) -> Deployed:
        key = deployment["id"]
        if key not in self._ready:
            self._ready[key] = Deployed.of(deployment)
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]
