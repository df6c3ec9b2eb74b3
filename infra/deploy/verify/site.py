"""Is the page served, does it call the API of this stack, and is the landing page there?"""

import json

from infra.deploy.errors import DeployError
from infra.deploy.verify.hosts import rows_of
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import Visit

PAGE = "web app"
LANDING = "landing page"


def checks(visit: Visit) -> list[Check]:
    landing = visit.outputs.landing_url
    found = [
        Check(PAGE, lambda: page(visit), rows_of(visit.outputs.app_url)),
        Check("web app's API", lambda: page_api(visit), (PAGE,)),
    ]
    if landing:
        found.append(Check(LANDING, lambda: landing_page(visit, landing), rows_of(landing)))
    return found


async def page(visit: Visit) -> str:
    url = visit.outputs.app_url
    if '<div id="root">' not in (await visit.get(url)).text:
        raise DeployError(f"{url} does not serve the web app")
    return f"{url} is served"


async def page_api(visit: Visit) -> str:
    """`config.json` beside the page says which API it calls; "" is the page's own origin."""
    url, wanted = f"{visit.outputs.app_url}/config.json", visit.outputs.api_url
    answer = await visit.get(url)
    try:
        found = json.loads(answer.text)["apiUrl"]
    except (ValueError, KeyError, TypeError):
        raise DeployError(f"{url} does not say which API the page calls: deploy the site again") from None
    if (found or visit.outputs.app_url) != wanted:
        raise DeployError(f"the page calls {found or 'its own origin'}, the API of this stack is {wanted}")
    return f"the page calls {wanted}"


async def landing_page(visit: Visit, url: str) -> str:
    answer = await visit.get(url)
    if "<html" not in answer.text.lower() or "html" not in answer.headers.get("content-type", ""):
        raise DeployError(f"{url} serves no page")
    return f"{url} is served"
