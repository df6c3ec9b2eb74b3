"""What `pages deploy` gets, checked."""

from typing import Annotated

from pydantic import Field

from infra.deploy.errors import DeployError
from infra.deploy.request import Request, parse

# These end up in a header and in a file of the site, so that nothing but an origin may pass.
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SiteRequest(Request):
    """`folder`, under the repository's root, is a Vite project to build; without `api_url` it is deployed as it is.

    `storage_origins`: where presigned addresses lead. `site_digest`: what the built files must have; None takes any.
    `site_url`: where Pages answers for its names; None means under them, in public DNS.
    """

    account_id: str
    project: str
    branch: str
    folder: str
    api_url: Origin | None = None
    storage_origins: tuple[Origin, ...] = ()
    site_digest: Digest | None = None
    site_url: Origin | None = None
    cloudflare_url: str | None = None

    def address_of(self, deployment_url: str) -> str | None:
        """Where to ask for a deployment; None when another Cloudflare than the public one has it, who knows where."""
        return self.site_url or (None if self.cloudflare_url else deployment_url)


def site_request(text: str) -> SiteRequest:
    """Raises DeployError that lists every mistake."""
    request = parse(SiteRequest, text)
    if (request.api_url is None) != (not request.storage_origins):
        raise DeployError("inputs are wrong: api_url and storage_origins go together, a site has both or neither")
    return request
