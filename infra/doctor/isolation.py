"""Data isolation: no claim makes a caller somebody else, and nothing reaches another environment's data."""

import asyncio
import contextlib
from functools import partial
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Api, Caller
from infra.deploy.journey.upload import start_upload
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import TIMEOUT_S, Visit
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient

SOMEBODY = "somebody-else"
DEVELOPMENT = "development"
UNAUTHENTICATED_CLOSE = 4401
BODY = b"not of this environment"


def complaints(patient: Patient) -> list[Complaint]:
    needs = ("identity", "readiness")
    visit = patient.visit
    label = f"pulumi config set reel:environment LABEL -s {patient.stack}"
    trusting = f"{label} && {patient.up}  (only development may believe what callers claim)"
    keys = f"flyctl secrets list -a {patient.app} && {patient.up}  (APP_ENV and the bucket's keys are the stack's own)"
    return [
        Complaint(Check("isolation, claimed user", partial(claimed_user, visit), needs), trusting),
        Complaint(Check("isolation, environment", partial(environment, patient), needs), keys),
        Complaint(Check("isolation, keys", partial(own_keys, visit), needs), keys),
        Complaint(Check("isolation, other data", partial(other_data, visit), needs), keys),
    ]


async def claimed_user(visit: Visit) -> str:
    """A header, a query and a token's companion: outside development none of them counts."""
    if await _environment(visit) == DEVELOPMENT:
        return "development: every caller is believed, by design"
    claim = {"X-User-ID": SOMEBODY, "X-Profile-ID": SOMEBODY}
    url = f"{visit.outputs.api_url}/api/me"
    anonymous = await visit.web.get(url, headers=claim)
    if anonymous.status_code != httpx.codes.UNAUTHORIZED:
        raise DeployError(f"a caller who only claims to be {SOMEBODY} is answered {anonymous.status_code}, not 401")
    known = await visit.web.get(url, headers={**visit.api.caller.headers, **claim})
    if known.status_code == httpx.codes.OK and SOMEBODY in known.json().values():
        raise DeployError(f"the holder of the verify token becomes {SOMEBODY} by a header")
    async with Api(visit.outputs.api_url, Caller({}, {"user": SOMEBODY})) as claimed:
        code = await _closing(claimed, visit.outputs.app_url)
    if code != UNAUTHENTICATED_CLOSE:
        raise DeployError(
            f"a socket that only claims to be {SOMEBODY} is closed with {code}, not {UNAUTHENTICATED_CLOSE}"
        )
    return "headers and queries name nobody"


async def environment(patient: Patient) -> str:
    """The backend that answers is the one that Fly was told to run."""
    answers = await _environment(patient.visit)
    told = patient.machine_environment.get("APP_ENV", answers)
    if answers != told:
        raise DeployError(f"the backend says environment {answers}, Fly was told {told}")
    return answers


async def own_keys(visit: Visit) -> str:
    """Everything that this user is given lies below its own place in this environment."""
    place = await _place(visit)
    given = [await _part_url(visit)]
    for media in (await visit.api.call("GET", "/api/media"))["items"]:
        if media["status"] != "uploading":
            given.append(str((await visit.api.call("GET", f"/api/media/{media['id']}/url"))["url"]))
    for reel in (await visit.api.call("GET", "/api/reels"))["items"]:
        given.append(str((await visit.api.call("GET", f"/api/reels/{reel['id']}/download"))["url"]))
    foreign = [path for url in given if f"/{place}" not in (path := urlsplit(url).path)]
    if foreign:
        raise DeployError(f"{len(foreign)} of {len(given)} URLs lead elsewhere than {place}, such as {foreign[0]}")
    return f"all below {place}"


async def other_data(visit: Visit) -> str:
    """A URL for this environment, bent to another one and to another user, is refused by the bucket."""
    label, url, place = await _environment(visit), await _part_url(visit), await _place(visit)
    elsewhere = (place.replace(f"{label}/", f"{label}-other/", 1), f"{label}/users/{SOMEBODY}/")
    for other in elsewhere:
        answer = await visit.web.put(url.replace(f"/{place}", f"/{other}", 1), content=BODY)
        if answer.status_code != httpx.codes.FORBIDDEN:
            raise DeployError(f"the bucket answered {answer.status_code}, not 403, to a write below {other}")
    return "the bucket refuses URLs that were bent to other data"


async def _place(visit: Visit) -> str:
    me = await visit.api.call("GET", "/api/me")
    return f"{me['environment']}/users/{me['user_id']}/"


async def _environment(visit: Visit) -> str:
    return str((await visit.get(visit.outputs.health_url)).json()["environment"])


async def _part_url(visit: Visit) -> str:
    started = await start_upload(visit.api, "isolation.mp4", "video/mp4", len(BODY))
    return str(started["upload"]["parts"][0]["url"])


async def _closing(api: Api, origin: str) -> int | None:
    async with asyncio.timeout(TIMEOUT_S), api.socket("/ws/export/exp_doctor", origin) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()
        return socket.close_code
