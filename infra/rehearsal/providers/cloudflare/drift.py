"""Whether what Cloudflare has is still what was asked for: only what was asked for counts, the API adds defaults."""

from typing import Any

from infra.rehearsal.providers.cloudflare.names import camel, snake_name
from infra.rehearsal.values import Value, Values


def drifted(asked: Values, answer: Any, inputs: Values) -> Values:  # noqa: ANN401 -- the API's answer
    """The inputs that are other now, as the API has them. `asked`: the body that would set them."""
    if not isinstance(answer, dict):
        return {}
    changed: Values = {}
    for key in inputs:
        spelled = key if key in asked else snake_name(key)
        if spelled in asked and spelled in answer and not _holds(answer[spelled], asked[spelled]):
            changed[key] = camel(answer[spelled])
    return changed


def _holds(has: Value, wants: Value) -> bool:
    """Whether all that is wanted is there; lists must agree in length."""
    if isinstance(wants, dict):
        return isinstance(has, dict) and all(_holds(has.get(key), part) for key, part in wants.items())
    if isinstance(wants, list):
        return (
            isinstance(has, list)
            and len(has) == len(wants)
            and all(_holds(one, part) for one, part in zip(has, wants, strict=True))
        )
    return has == wants or wants is None
