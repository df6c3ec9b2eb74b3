"""Pulumi property paths: `environment.X`, `triggers[0]`, `a["b.c"]`, with `*` for any key or place."""

import re

Step = str | int
Path = tuple[Step, ...]

_STEP = re.compile(r'\.?([^.\[\]"]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]')


class PathError(ValueError):
    """A property path that cannot be read; the message shows it."""


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
