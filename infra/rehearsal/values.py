"""Property values as JSON, with Pulumi's own marks for what is secret and what is not known yet.

A secret is the object that the engine's protocol puts on the wire; it stays in place through diffs and into the state.
"""

from collections.abc import Callable
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Values: TypeAlias = dict[str, Value]

MARK = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- the protocol's name for a secret, not one
ASSET, ARCHIVE = "c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"
ASSETS = frozenset({ASSET, ARCHIVE})
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET_SHOWN, UNKNOWN_SHOWN = "[secret]", "[unknown]"


def is_secret(value: Value) -> bool:
    return isinstance(value, dict) and value.get(MARK) == SECRET


def secret(value: Value) -> Value:
    return value if is_secret(value) else {MARK: SECRET, "value": value}


def is_unknown(value: Value) -> bool:
    """Whether any part of the value is not known yet."""
    if isinstance(value, dict):
        return any(is_unknown(part) for part in value.values())
    if isinstance(value, list):
        return any(is_unknown(part) for part in value)
    return value == UNKNOWN


def replaced(value: Value, replace: Callable[[Value], tuple[bool, Value]]) -> Value:
    """A copy in which each outermost part that `replace` takes (its first answer) has become its second answer."""
    taken, instead = replace(value)
    if taken:
        return instead
    if isinstance(value, dict):
        return {key: replaced(part, replace) for key, part in value.items()}
    if isinstance(value, list):
        return [replaced(part, replace) for part in value]
    return value


def plain(value: Value) -> Value:
    """The value without its secret marks, for the one who carries it out."""

    def unwrap(part: Value) -> tuple[bool, Value]:
        if isinstance(part, dict) and is_secret(part):
            return True, plain(part.get("value"))
        return False, None

    return replaced(value, unwrap)


def plain_values(values: Values) -> Values:
    return {key: plain(value) for key, value in values.items()}


def masked(value: Value, *, unknown: str = UNKNOWN_SHOWN) -> Value:
    """The value as people see it: `[secret]` and `[unknown]` in place of what is either."""

    def mask(part: Value) -> tuple[bool, Value]:
        if is_secret(part):
            return True, SECRET_SHOWN
        if isinstance(part, str) and part == UNKNOWN:
            return True, unknown
        return False, None

    return replaced(value, mask)


def secret_texts(value: Value) -> set[str]:
    """Every text inside a secret of the value."""
    if isinstance(value, dict):
        if is_secret(value):
            return texts(value.get("value"))
        return set().union(*(secret_texts(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(secret_texts(part) for part in value))
    return set()


def texts(value: Value) -> set[str]:
    if isinstance(value, str):
        return {value} - {UNKNOWN}
    if isinstance(value, dict):
        return set().union(*(texts(part) for key, part in value.items() if key != MARK))
    if isinstance(value, list):
        return set().union(*(texts(part) for part in value))
    return set()


def merged(below: Value, above: Value) -> Value:
    """`above` laid over `below`, object by object; a list or a marked value of `above` wins whole."""
    if isinstance(below, dict) and isinstance(above, dict) and MARK not in above and MARK not in below:
        return below | {key: merged(below.get(key), part) for key, part in above.items()}
    return above
