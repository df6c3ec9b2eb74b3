"""The permission groups that account tokens may hold here: object access to R2 buckets.

Ids are Cloudflare's own. A policy with any other group is refused, so that no token seems to grant what it does not.
"""

from infra.localcloud.cloudflare.envelope import Json
from infra.localcloud.r2.protocol import Permission

SCOPE = "com.cloudflare.edge.r2.bucket"
ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6"
ITEM_READ = "6a018a9f2fc74eb6b293b0c548f38b39"

_NAMES = {
    ITEM_WRITE: "Workers R2 Storage Bucket Item Write",
    ITEM_READ: "Workers R2 Storage Bucket Item Read",
}
PERMISSIONS: dict[str, Permission] = {ITEM_WRITE: "write", ITEM_READ: "read"}


def known(group_id: str) -> bool:
    return group_id in _NAMES


def brief(group_id: str) -> Json:
    return {"id": group_id, "name": _NAMES[group_id]}


def groups(*, name: str | None = None, scope: str | None = None) -> list[Json]:
    """All groups, or those with exactly this name or scope."""
    return [
        {**brief(group_id), "scopes": [SCOPE], "category": "developer_platform", "is_selectable": True}
        for group_id in _NAMES
        if name in (None, _NAMES[group_id]) and scope in (None, SCOPE)
    ]
