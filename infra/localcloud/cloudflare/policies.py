"""Token policies: checked, given ids, and read as access to one R2 bucket.

`resources` is a JSON object `{"com.cloudflare.edge.r2.bucket.<account>_default_<bucket>": "*"}`. The Pulumi provider
takes it as JSON text, the API does not.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from infra.localcloud.cloudflare import permission_groups
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, unimplemented
from infra.localcloud.r2.protocol import Permission


@dataclass(frozen=True)
class BucketAccess:
    bucket: str
    permission: Permission


def invalid(message: str) -> CloudflareError:
    return CloudflareError(400, 1001, f"The token is not valid: {message}")


def checked(given: object, account_id: str) -> list[Json]:
    """The policies as they are stored and answered; 400 for malformed ones, 501 for what has no effect here."""
    if not isinstance(given, list) or not given:
        raise invalid("policies is empty or no list; give at least one policy")
    policies = [_policy(policy, f"policies[{index}]", account_id) for index, policy in enumerate(given)]
    if len({resource for policy in policies for resource in policy["resources"]}) > 1:
        raise unimplemented("tokens for more than one bucket; make a token for each")
    return policies


def access(policies: list[Json], account_id: str) -> BucketAccess:
    """What checked policies give: the one bucket, and "write" (which includes reading) or "read"."""
    resource = next(iter(policies[0]["resources"]))
    held = {group["id"] for policy in policies for group in policy["permission_groups"]}
    return BucketAccess(
        bucket=resource.removeprefix(_prefix(account_id)),
        permission="write" if permission_groups.ITEM_WRITE in held else "read",
    )


def _prefix(account_id: str) -> str:
    return f"{permission_groups.SCOPE}.{account_id}_default_"


def _policy(given: Any, where: str, account_id: str) -> Json:  # noqa: ANN401 -- JSON from outside, checked here
    if not isinstance(given, dict):
        raise invalid(f"{where} is no object")
    if given.get("effect") == "deny":
        raise unimplemented("policies with the effect 'deny'")
    if given.get("effect") != "allow":
        raise invalid(f"{where}.effect is {given.get('effect')!r}; give 'allow' or 'deny'")
    return {
        "id": uuid.uuid4().hex,
        "effect": "allow",
        "resources": _resources(given.get("resources"), where, account_id),
        "permission_groups": _groups(given.get("permission_groups"), where),
    }


def _resources(given: Any, where: str, account_id: str) -> dict[str, str]:  # noqa: ANN401 -- JSON from outside
    if not isinstance(given, dict) or not given:
        raise invalid(f"{where}.resources must be a JSON object with at least one resource, not {type(given).__name__}")
    for resource, scope in given.items():
        if not resource.startswith(_prefix(account_id)) or resource == _prefix(account_id):
            raise unimplemented(f"tokens for the resource {resource!r}, only {_prefix(account_id)}<bucket>")
        if scope != "*":
            raise invalid(f"{where}.resources[{resource!r}] is {scope!r}; give '*'")
    return dict(given)


def _groups(given: Any, where: str) -> list[Json]:  # noqa: ANN401 -- JSON from outside, checked here
    ids = [group.get("id") for group in given if isinstance(group, dict)] if isinstance(given, list) else []
    if not ids:
        raise invalid(f"{where}.permission_groups names no group")
    return [_group(group_id, where) for group_id in ids]


def _group(group_id: object, where: str) -> Json:
    if not isinstance(group_id, str) or not permission_groups.known(group_id):
        raise invalid(f"{where}.permission_groups has {group_id!r}; list them at tokens/permission_groups")
    return permission_groups.brief(group_id)
