"""Durations as Pulumi's custom timeouts spell them: `90s`, `5m`, `1h30m`, `500ms`."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def seconds(text: str) -> float:
    """Raises ValueError for another spelling."""
    if not re.fullmatch(rf"(?:{_PART.pattern})+", text):
        raise ValueError(f"timeout {text!r} is not a duration; write it like 90s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
