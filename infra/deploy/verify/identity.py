"""Who the API takes this run for. Only a user that nobody else is may be emptied afterwards."""

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import ApiError
from infra.deploy.verify.outputs import HIDDEN
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import SHOW_SECRETS, Visit

IDENTITY = "identity"


def checks(visit: Visit) -> list[Check]:
    return [Check(IDENTITY, lambda: identity(visit), ("health",))]


async def identity(visit: Visit) -> str:
    token = visit.outputs.token
    if token == HIDDEN:
        raise DeployError(f"the outputs hide verify_token: {SHOW_SECRETS}")
    try:
        me = await visit.api.call("GET", "/api/me")
    except ApiError as error:
        if error.status != 401:
            raise
        reason = "does not take the outputs' verify_token" if token else "is no development stack"
        advice = "deploy again: `pulumi up`" if token else f"its outputs must have verify_token: {SHOW_SECRETS}"
        raise DeployError(f"the backend {reason}; {advice}") from None
    wanted = visit.expected_user(str(me["environment"]))
    if me["user_id"] != wanted:
        raise DeployError(
            f"the API takes this run for {me['user_id']!r}, not {wanted!r}; it must not touch others' data"
        )
    return f"{wanted} in {me['environment']}"
