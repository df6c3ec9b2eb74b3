"""Fields of a JSON object as `name=value` lines: how one step of a workflow tells another."""

import json
from collections.abc import Sequence

from infra.release.errors import ReleaseError


def fields(text: str, names: Sequence[str]) -> list[str]:
    """One line a name; raises ReleaseError for a field that is missing, empty or would break out of its line."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        raise ReleaseError("standard input is not JSON") from None
    lines = []
    for name in names:
        value = values.get(name)
        if not isinstance(value, str) or len(value.splitlines()) != 1:
            raise ReleaseError(f"there is no {name} to pass on")
        lines.append(f"{name}={value}")
    return lines
