"""A bucket's lifecycle rules over the account API: a PUT replaces them all, also the default rule of a new bucket.

There is no DELETE, as in the real API: a PUT of an empty list removes every rule. The R2 stand-in keeps the rules.
"""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.bucket_path import BUCKET, bucket_name
from infra.localcloud.cloudflare.envelope import CloudflareError, Json, json_body, ok
from infra.localcloud.r2.protocol import BucketControl

MOST_RULES = 1_000
_TRANSITIONS = ("abortMultipartUploadsTransition", "deleteObjectsTransition", "storageClassTransitions")
_KEYS = {"id", "enabled", "conditions", *_TRANSITIONS}
_PATH = BUCKET + "/lifecycle"


class BucketLifecycle:
    def __init__(self, control: BucketControl) -> None:
        self._control = control

    def routes(self) -> list[Route]:
        return [Route(_PATH, self.get, methods=["GET"]), Route(_PATH, self.put, methods=["PUT"])]

    async def get(self, request: Request) -> Response:
        return ok({"rules": self._control.lifecycle(self._bucket(request))})

    async def put(self, request: Request) -> Response:
        bucket = self._bucket(request)
        rules = (await json_body(request)).get("rules", [])
        if not isinstance(rules, list) or len(rules) > MOST_RULES:
            raise _invalid(f"rules must be a list of at most {MOST_RULES}")
        for index, rule in enumerate(rules):
            _check_rule(rule, f"rules[{index}]")
        ids = [rule["id"] for rule in rules]
        if len(set(ids)) < len(ids):
            raise _invalid("two rules have the same id; every id must differ")
        self._control.set_lifecycle(bucket, rules)
        return ok({})

    def _bucket(self, request: Request) -> str:
        return bucket_name(self._control, request)


def _invalid(message: str) -> CloudflareError:
    return CloudflareError(400, 10040, f"The lifecycle configuration is not valid: {message}")


def _check_rule(rule: Any, where: str) -> None:  # noqa: ANN401 -- JSON from outside, checked here
    if not isinstance(rule, dict):
        raise _invalid(f"{where} is no object")
    unknown = sorted(set(rule) - _KEYS)
    if unknown:
        raise _invalid(f"{where} has the unknown key {unknown[0]!r}")
    if not isinstance(rule.get("id"), str) or not 1 <= len(rule["id"]) <= 255:
        raise _invalid(f"{where}.id must be 1 to 255 characters")
    if not isinstance(rule.get("enabled"), bool):
        raise _invalid(f"{where}.enabled must be true or false")
    conditions = rule.get("conditions")
    if not isinstance(conditions, dict) or not isinstance(conditions.get("prefix", ""), str):
        raise _invalid(f"{where}.conditions must be an object with a string 'prefix'")
    if all(rule.get(name) is None for name in _TRANSITIONS):
        raise _invalid(f"{where} does nothing; give one of {', '.join(_TRANSITIONS)}")
    _check_transitions(rule, where)


def _check_transitions(rule: Json, where: str) -> None:
    abort = rule.get("abortMultipartUploadsTransition")
    if abort is not None:
        _check_condition(abort, f"{where}.abortMultipartUploadsTransition", dated=False)
    deletion = rule.get("deleteObjectsTransition")
    if deletion is not None:
        _check_condition(deletion, f"{where}.deleteObjectsTransition", dated=True)
    for index, transition in enumerate(rule.get("storageClassTransitions") or []):
        here = f"{where}.storageClassTransitions[{index}]"
        _check_condition(transition, here, dated=True)
        if transition.get("storageClass") != "InfrequentAccess":
            raise _invalid(f"{here}.storageClass must be 'InfrequentAccess'")


def _check_condition(transition: Any, where: str, *, dated: bool) -> None:  # noqa: ANN401 -- JSON from outside, checked here
    condition = transition.get("condition") if isinstance(transition, dict) else None
    if not isinstance(condition, dict):
        raise _invalid(f"{where} has no object 'condition'")
    age = condition.get("maxAge")
    if condition.get("type") == "Age" and isinstance(age, int | float) and not isinstance(age, bool) and age >= 0:
        condition["maxAge"] = int(age)
        return
    if dated and condition.get("type") == "Date" and _is_date(condition.get("date")):
        return
    raise _invalid(f"{where}.condition must be an Age of maxAge seconds{' or a Date' if dated else ''}")


def _is_date(given: object) -> bool:
    try:
        datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        return False
    return True
