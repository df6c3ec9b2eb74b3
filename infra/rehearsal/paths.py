"""Pulumi property paths: `environment.X`, `triggers[0]`, `a["b.c"]`, with `*` for any key or place."""

import re
from typing import cast

from infra.rehearsal.values import MARK, Value, Values

Step = str | int
Path = tuple[Step, ...]

_STEP = re.compile(r'\.?([^.\[\]"]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]')


class PathError(ValueError):
    """A property path that cannot be read; the message shows it."""


class MissingError(ValueError):
    """A path leads to nothing; the message is what is missing."""


def parse(text: str) -> Path:
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PathError(f"property path {text!r}: cannot read it from {text[at:]!r}; write it like a.b[0] or a[*]")
        bare, quoted, place = found.groups()
        if place is not None:
            steps.append("*" if place == "*" else int(place))
        else:
            steps.append(bare if bare is not None else quoted.replace('\\"', '"'))
        at = found.end()
    return tuple(steps)


def render(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_$][\w$]*", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def contains(pattern: Path, path: Path) -> bool:
    """Whether `path` is what `pattern` names or lies below it."""
    return len(pattern) <= len(path) and all(a in ("*", b) for a, b in zip(pattern, path, strict=False))


def reset(old: Values, new: Values, path: Path) -> Values:
    """A copy of `new` with what `path` names as it was in `old`: put back, or taken away if `old` had none.

    Raises MissingError if only one of them has a place for it.
    """
    changed = _reset(old, new, path)
    return changed if isinstance(changed, dict) else new


def _reset(old: Value, new: Value, path: Path) -> Value:
    if not path:
        return old
    if _is_object(old) and _is_object(new):
        return _reset_key(cast(Values, old), cast(Values, new), path)
    if isinstance(old, list) and isinstance(new, list):
        return _reset_place(old, new, path)
    if old == new:
        return new
    raise MissingError(render(path))


def _reset_key(old: Values, new: Values, path: Path) -> Value:
    step, rest = str(path[0]), path[1:]
    kept = dict(new)
    for key in dict.fromkeys([*old, *new]) if step == "*" else [step]:
        if key in old and (not rest or key in new):
            kept[key] = _reset(old[key], new.get(key), rest)
        elif not rest:
            kept.pop(key, None)
        elif key in old or key in new:
            raise MissingError(key)
    return kept


def _reset_place(old: list[Value], new: list[Value], path: Path) -> Value:
    step, rest = path[0], path[1:]
    if step == "*":
        if len(old) != len(new):
            raise MissingError("*")
        return [_reset(before, after, rest) for before, after in zip(old, new, strict=True)]
    if not isinstance(step, int) or (step < len(old)) != (step < len(new)):
        raise MissingError(str(step))
    return [_reset(old[at], after, rest) if at == step else after for at, after in enumerate(new)]


def _is_object(value: Value) -> bool:
    return isinstance(value, dict) and MARK not in value
