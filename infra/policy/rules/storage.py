"""The data of users: its bucket is kept, and no lifecycle rule reaches it."""

import re
from collections.abc import Iterator
from typing import Final

from infra.policy.model import Context, PlannedResource, ResourceRule
from infra.policy.steps import fly_environment, is_step
from infra.policy.values import UNKNOWN, Value, known, unsecret

TEMPORARY: Final = re.compile(r"^([a-z0-9][a-z0-9-]*/)?tmp/")
"""What may expire: `tmp/…` of all environments and `<environment>/tmp/…`. Users' data is `<environment>/users/…`."""


def _bucket_is_kept(resource: PlannedResource, context: Context) -> Iterator[str]:
    if resource.kind != "R2Bucket":
        return
    if not resource.protect:
        yield "it lacks protect=True: a destroy or a replacement would delete every user's data"
    if resource.retain_on_delete is False:
        yield "it lacks retain_on_delete=True: once it leaves the program, the bucket would be deleted"


def _lifecycle_spares_data(resource: PlannedResource, context: Context) -> Iterator[str]:
    if resource.kind != "R2BucketLifecycle":
        return
    rules = unsecret(known(resource.inputs.get("rules"), "rules"))
    for at, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, dict):
            continue
        acts = [name for name in ("deleteObjectsTransition", "storageClassTransitions") if rule.get(name)]
        prefix = _prefix(rule)
        if acts and (not isinstance(prefix, str) or not TEMPORARY.match(prefix)):
            shown = "not known yet" if prefix is UNKNOWN else repr(prefix or "")
            yield f"rules[{at}] ({rule.get('id')}) has {acts[0]} and its prefix is {shown}, not a temporary one"


def _environment_is_kept(resource: PlannedResource, context: Context) -> Iterator[str]:
    if is_step(resource, "fly deploy") and fly_environment(resource, context).get("APP_ENV") == "tmp":
        yield "APP_ENV is tmp: everything under tmp/ in the bucket expires, its users' data with it"


def _prefix(rule: dict[str, Value]) -> Value:
    conditions = rule.get("conditions")
    return conditions.get("prefix") if isinstance(conditions, dict) else conditions


RULES = (
    ResourceRule(
        name="data-bucket-is-kept",
        description="The bucket of the users' data is protected and survives its removal from the program.",
        remedy="give it pulumi.ResourceOptions(protect=True, retain_on_delete=True)",
        check=_bucket_is_kept,
    ),
    ResourceRule(
        name="lifecycle-spares-user-data",
        description="A lifecycle rule deletes or moves nothing outside of a temporary prefix.",
        remedy="give the rule the prefix tmp/ or <environment>/tmp/; abandoned uploads may be aborted anywhere",
        check=_lifecycle_spares_data,
    ),
    ResourceRule(
        name="environment-does-not-expire",
        description="No environment keeps its users' data where objects expire.",
        remedy="give the stack another reel:environment than tmp",
        check=_environment_is_kept,
    ),
)
