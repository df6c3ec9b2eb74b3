"""Is the backend alive, ready, and the version that the outputs name?"""

from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.verify.hosts import rows_of
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import Visit

HEALTH = "health"


def checks(visit: Visit) -> list[Check]:
    return [health_check(visit), version_check(visit), readiness_check(visit)]


def health_check(visit: Visit) -> Check:
    return Check(HEALTH, lambda: health(visit), rows_of(visit.outputs.health_url))


def version_check(visit: Visit) -> Check:
    return Check("version", lambda: version(visit), (HEALTH,))


def readiness_check(visit: Visit) -> Check:
    return Check("readiness", lambda: readiness(visit), (HEALTH,))


async def health(visit: Visit) -> str:
    found = await _document(visit, visit.outputs.health_url)
    if found.get("status") != "ok" or not found.get("version") or not found.get("environment"):
        raise DeployError(f"{visit.outputs.health_url} does not answer as this backend does: {str(found)[:200]}")
    return f"environment {found['environment']}"


async def version(visit: Visit) -> str:
    found = str((await _document(visit, visit.outputs.health_url))["version"])
    wanted = visit.outputs.version
    if wanted is None:
        return f"{found} (the outputs name none)"
    if found != wanted:
        raise DeployError(
            f"version {found} answers, the outputs say {wanted}: deploy again or look for a stray machine"
        )
    return found


async def readiness(visit: Visit) -> str:
    url = f"{visit.outputs.api_url}/api/ready"
    try:
        found = await _document(visit, url)
    except DeployError as error:
        raise DeployError(f"{error}; open {url} for the check that fails") from None
    return ", ".join(f"{name} {result}" for name, result in found["checks"].items())


async def _document(visit: Visit, url: str) -> dict[str, Any]:
    answer = await visit.get(url)
    try:
        found = answer.json()
    except ValueError:
        raise DeployError(f"{url} answered no JSON: {answer.text[:100]!r}") from None
    if not isinstance(found, dict):
        raise DeployError(f"{url} answered no JSON object")
    return found
