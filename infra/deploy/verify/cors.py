"""May pages of the app, and only they, call the backend and put parts into the bucket? As a browser would ask."""

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Json
from infra.deploy.journey.upload import start_upload
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import FOREIGN_ORIGIN, Visit

PART = b"a part of nothing"
ALLOW_ORIGIN = "access-control-allow-origin"


def api_checks(visit: Visit) -> list[Check]:
    return [
        Check("CORS API, own origin", lambda: api_own(visit), ("health",)),
        Check("CORS API, foreign origin", lambda: api_foreign(visit), ("health",)),
    ]


def bucket_checks(visit: Visit) -> list[Check]:
    needs = ("identity", "leftovers", "readiness")
    return [
        Check("CORS bucket, own origin", lambda: bucket_own(visit), needs),
        Check("CORS bucket, foreign origin", lambda: bucket_foreign(visit), needs),
    ]


async def api_own(visit: Visit) -> str:
    origin, url = visit.outputs.app_url, f"{visit.outputs.api_url}/api/media"
    preflight = await _preflight(visit, url, origin, "POST", "content-type")
    _require(preflight, origin, f"the preflight of POST {url}")
    _require(await visit.web.get(visit.outputs.health_url, headers={"Origin": origin}), origin, "GET health")
    return f"{origin} may call the API"


async def api_foreign(visit: Visit) -> str:
    url = f"{visit.outputs.api_url}/api/media"
    _refuse(await _preflight(visit, url, FOREIGN_ORIGIN, "POST", "content-type"), f"the preflight of POST {url}")
    answer = await visit.web.get(visit.outputs.health_url, headers={"Origin": FOREIGN_ORIGIN})
    _refuse(answer, "GET health")
    return "other origins may not"


async def bucket_own(visit: Visit) -> str:
    origin, url = visit.outputs.app_url, await _part_url(visit)
    _require(await _preflight(visit, url, origin, "PUT"), origin, "the preflight of a part")
    put = await visit.web.put(url, content=PART, headers={"Origin": origin})
    _require(put, origin, "PUT of a part")
    exposed = {name.strip().lower() for name in put.headers.get("access-control-expose-headers", "").split(",")}
    if not exposed & {"etag", "*"}:
        raise DeployError("the bucket hides ETag from pages, which uploads need: `pulumi up` sets its CORS rules")
    return f"{origin} may put parts and read their ETag"


async def bucket_foreign(visit: Visit) -> str:
    _refuse(
        await _preflight(visit, await _part_url(visit), FOREIGN_ORIGIN, "PUT"),
        "the bucket, to the preflight of a part,",
    )
    return "other origins may not"


async def _part_url(visit: Visit) -> str:
    started: Json = await start_upload(visit.api, "cors.mp4", "video/mp4", len(PART))
    return str(started["upload"]["parts"][0]["url"])


async def _preflight(visit: Visit, url: str, origin: str, method: str, headers: str | None = None) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return await visit.web.options(url, headers=asked)


def _require(answer: httpx.Response, origin: str, what: str) -> None:
    allowed = answer.headers.get(ALLOW_ORIGIN)
    if answer.is_error or allowed not in (origin, "*"):
        raise DeployError(f"{what} from {origin} was answered {answer.status_code}, allowed origin: {allowed}")


def _refuse(answer: httpx.Response, what: str) -> None:
    allowed = answer.headers.get(ALLOW_ORIGIN)
    if allowed is not None:
        raise DeployError(f"{what} from {FOREIGN_ORIGIN} was allowed: {ALLOW_ORIGIN} is {allowed}")
