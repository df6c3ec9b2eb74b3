"""The local stack as a patient: its outputs lie in a file, its credentials are the stand-ins'."""

import json
import os

from infra.deploy.errors import DeployError
from infra.deploy.verify.outputs import HIDDEN, Outputs, parse
from infra.doctor.command import see
from infra.local.apply import environment
from infra.local.paths import OUTPUTS
from infra.localcloud.stackfile import STACK, local_config

__all__ = ["STACK", "local_outputs", "see_local"]


def local_outputs() -> Outputs:
    """A token that the file hides is left out: a development backend believes a name. Raises DeployError."""
    values = json.loads(OUTPUTS.read_text()) if OUTPUTS.is_file() else {}
    if not values:
        raise DeployError("the local stack has no outputs yet: run `make up` first")
    if values.get("verify_token") == HIDDEN:
        del values["verify_token"]
    return parse(values, OUTPUTS.name)


def see_local() -> int:
    outputs, config = local_outputs(), local_config()
    os.environ.update(environment())
    addresses = {
        "CLOUDFLARE_API_BASE_URL": config.cloudflare_url,
        "MODAL_SERVER_URL": config.modal_url,
        **dict.fromkeys(("FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL"), config.fly_url),
    }
    os.environ.update({name: url for name, url in addresses.items() if url})
    return see(outputs, STACK, is_local=True, account_id=config.account_id, config=config)
