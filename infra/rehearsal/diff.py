"""What differs between two sets of inputs, path by path, in the words of `pulumi preview --json`."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from infra.rehearsal.paths import Path, contains, parse, render
from infra.rehearsal.values import MARK, Value, Values, is_secret


@dataclass(frozen=True)
class Changes:
    """`detailed`: path -> `add`, `update` or `delete`, with `-replace` where it cannot be done in place."""

    detailed: dict[str, str] = field(default_factory=dict)
    delete_first: bool = False

    @property
    def any(self) -> bool:
        return bool(self.detailed)

    @property
    def replaces(self) -> bool:
        return any(kind.endswith("-replace") for kind in self.detailed.values())

    @property
    def keys(self) -> list[str]:
        """The names of the inputs that changed."""
        return sorted({str(parse(path)[0]) for path in self.detailed})

    @property
    def replace_keys(self) -> list[str]:
        return sorted({str(parse(path)[0]) for path, kind in self.detailed.items() if kind.endswith("-replace")})

    def replacing(self, patterns: Iterable[str]) -> "Changes":
        """The same changes, with those that a pattern names turned into replacements."""
        wanted = [parse(pattern) for pattern in patterns]
        detailed = {
            path: _as_replacement(kind) if any(contains(w, parse(path)) for w in wanted) else kind
            for path, kind in self.detailed.items()
        }
        return replace(self, detailed=detailed)


def _as_replacement(kind: str) -> str:
    return kind if kind.endswith("-replace") else f"{kind}-replace"


def compare(old: Values, new: Values) -> dict[str, str]:
    """Path -> kind. Becoming secret, or no longer being secret, is a change."""
    found: dict[str, str] = {}
    for key in sorted({*old, *new}):
        _compare((key,), old.get(key), new.get(key), key in old, key in new, found)
    return found


def _compare(path: Path, old: Value, new: Value, had: bool, has: bool, found: dict[str, str]) -> None:
    if not had or not has:
        found[render(path)] = "add" if has else "delete"
    elif isinstance(old, dict) and isinstance(new, dict) and not _is_leaf(old) and not _is_leaf(new):
        for key in sorted({*old, *new}):
            _compare((*path, key), old.get(key), new.get(key), key in old, key in new, found)
    elif isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            has_old, has_new = at < len(old), at < len(new)
            _compare((*path, at), old[at] if has_old else None, new[at] if has_new else None, has_old, has_new, found)
    elif not _equal(old, new):
        found[render(path)] = "update"


def _is_leaf(value: Values) -> bool:
    return is_secret(value) or MARK in value


def _equal(old: Value, new: Value) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return old == new
