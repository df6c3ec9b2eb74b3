"""Durations as Go writes them (`15s`, `1m30s`, `250ms`), which fly.toml and flyctl use."""

import re

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Seconds of a Go duration; ValueError with Go's own words for anything else."""
    if text == "0":
        return 0.0
    position, seconds = 0, 0.0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        seconds += float(part[1]) * _UNITS_S[part[2]]
        position = part.end()
    if not text or position < len(text):
        raise ValueError(f'time: invalid duration "{text}"')
    return seconds


def format_duration(seconds: float) -> str:
    """Go's text of a duration: `1m0s`, `15s`, `1.5s`, `250ms`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    prefix = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{prefix}{rest:g}s"
