"""Is the page the stack's: does it call this stack's API, and is it what the stack deployed, or did a hand do it?"""

import re
from functools import partial
from urllib.parse import urlsplit

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.verify import site
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import Visit
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient

POLICY = "content-security-policy"
_OWN_FILE = re.compile(r'(?:src|href)="(/[^/"][^"]*)"')


def complaints(patient: Patient) -> list[Complaint]:
    checks = [*site.checks(patient.visit), Check("web app's content", partial(content, patient), (site.PAGE,))]
    steps = {site.LANDING: "landing-deploy"}
    return [Complaint(check, patient.repeat(steps.get(check.name, "app-deploy"))) for check in checks]


async def content(patient: Patient) -> str:
    """What users get is what the stack's last deployment has: the page, its policy, and each file that it names."""
    visit, deployment = patient.visit, patient.visit.outputs.pages_deployment
    if deployment is None:
        return "not compared: the outputs name no pages_deployment"
    address = _address(patient, deployment)
    if address is None:
        return f"not compared: {deployment} is at another Cloudflare, and the stack file does not say where"
    own = {"Host": urlsplit(deployment).netloc}
    try:
        page = await visit.web.get(f"{address}/", headers=own)
    except httpx.TransportError as error:
        return f"not compared: {deployment} cannot be reached from here ({str(error) or type(error).__name__})"
    if page.status_code == httpx.codes.NOT_FOUND:
        raise DeployError(f"{deployment}, which the stack deployed, is gone: what is served is another's")
    if page.status_code != httpx.codes.OK:
        return f"not compared: {deployment} answers {page.status_code} from here"
    paths = ["/config.json", *dict.fromkeys(_OWN_FILE.findall(page.text))]
    different = [] if _same_page(page, await visit.get(f"{visit.outputs.app_url}/")) else ["/"]
    different += [path for path in paths if not await _same_file(visit, address, own, path)]
    if different:
        raise DeployError(f"{visit.outputs.app_url} differs from {deployment} in {', '.join(different)}")
    return f"{len(paths) + 1} files are those of {deployment}"


def _address(patient: Patient, deployment: str) -> str | None:
    """Where to ask for a deployment; the stand-in of Pages has all of them at one address."""
    if patient.config and patient.config.cloudflare_url:
        return patient.config.app_url
    return deployment


def _same_page(own: httpx.Response, shown: httpx.Response) -> bool:
    # Pages can be told to add its analytics at the end of the body.
    texts = [answer.text.partition("</body>")[0] for answer in (own, shown)]
    return texts[0] == texts[1] and own.headers.get(POLICY) == shown.headers.get(POLICY)


async def _same_file(visit: Visit, address: str, own: dict[str, str], path: str) -> bool:
    wanted = await visit.web.get(f"{address}{path}", headers=own)
    shown = await visit.web.get(f"{visit.outputs.app_url}{path}")
    return (wanted.status_code, wanted.content) == (shown.status_code, shown.content)
