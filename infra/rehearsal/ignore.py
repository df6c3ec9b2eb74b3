"""Puts ignored inputs back to what they were, path by path, as the engine's `ignoreChanges` does.

Source of the rules: pulumi/pulumi, sdk/go/common/resource/property_path.go, PropertyPath.Reset.
"""

from dataclasses import dataclass

from infra.rehearsal.paths import Path
from infra.rehearsal.values import Value, Values, is_secret, secret


class MissingError(ValueError):
    """Only one of old and new has a place for what the path names."""


@dataclass(frozen=True)
class _Depth:
    """Whether the old and the new value lie inside a secret here: what was secret must not come back in clear."""

    old_hidden: bool = False
    new_hidden: bool = False

    def put_back(self, value: Value) -> Value:
        return secret(value) if self.old_hidden and not self.new_hidden else value


def reset(old: Values, new: Values, path: Path) -> Values:
    """A copy of `new` with what `path` names as in `old`: put back, or taken away if `old` had none.

    Raises MissingError; list elements are neither added nor taken away.
    """
    changed = _reset(old, new, path, _Depth())
    return changed if isinstance(changed, dict) else new


def _reset(old: Value, new: Value, path: Path, depth: _Depth) -> Value:
    if isinstance(new, dict) and is_secret(new):
        return secret(_reset(old, new.get("value"), path, _Depth(depth.old_hidden, new_hidden=True)))
    if isinstance(old, dict) and is_secret(old):
        return _reset(old.get("value"), new, path, _Depth(True, depth.new_hidden))
    step = path[0]
    if step == "*":
        return _reset_all(old, new, path[1:], depth)
    if isinstance(step, int):
        return _reset_place(old, new, step, path[1:], depth)
    return _reset_key(old, new, step, path[1:], depth)


def _reset_key(old: Value, new: Value, key: str, rest: Path, depth: _Depth) -> Value:
    if rest:
        if not isinstance(old, dict) or not isinstance(new, dict):
            return _same_kind(new, isinstance(old, dict) or isinstance(new, dict))
        if key not in new:
            return _same_kind(new, key in old)
        return {**new, key: _reset(old.get(key), new[key], rest, depth)}
    if isinstance(old, dict) and key in old:
        if not isinstance(new, dict):
            raise MissingError(key)
        return {**new, key: depth.put_back(old[key])}
    return {name: part for name, part in new.items() if name != key} if isinstance(new, dict) else new


def _reset_place(old: Value, new: Value, place: int, rest: Path, depth: _Depth) -> Value:
    if not isinstance(old, list) or not isinstance(new, list):
        return _same_kind(new, isinstance(old, list) or isinstance(new, list))
    if place >= len(old) or place >= len(new):
        raise MissingError(str(place))
    part = _reset(old[place], new[place], rest, depth) if rest else depth.put_back(old[place])
    return [*new[:place], part, *new[place + 1 :]]


def _reset_all(old: Value, new: Value, rest: Path, depth: _Depth) -> Value:
    if isinstance(new, dict) and (isinstance(old, dict) or not rest):
        before = old if isinstance(old, dict) else new
        if not rest:
            return {key: depth.put_back(part) for key, part in before.items()}
        if before.keys() - new.keys():
            raise MissingError("*")
        return {**new, **{key: _reset(part, new[key], rest, depth) for key, part in before.items()}}
    if isinstance(new, list) and (isinstance(old, list) or not rest):
        parts = old if isinstance(old, list) else new
        if len(parts) != len(new):
            raise MissingError("*")
        if not rest:
            return [depth.put_back(part) for part in parts]
        return [_reset(part, after, rest, depth) for part, after in zip(parts, new, strict=True)]
    raise MissingError("*")


def _same_kind(new: Value, differs: bool) -> Value:
    """Neither has the place: nothing to do."""
    if differs:
        raise MissingError("a part of the path")
    return new
