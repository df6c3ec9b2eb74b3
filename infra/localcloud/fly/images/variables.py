"""`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}` in a Dockerfile (reference: "Environment replacement")."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(
    r"\\(?P<escaped>\$)|\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?::(?P<operator>[-+])(?P<word>[^}]*))?\})"
)


def expand(text: str, values: Mapping[str, str]) -> str:
    """An unset variable is empty, as in Docker."""

    def replace(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        value = values.get(match["plain"] or match["name"], "")
        if match["operator"] == "-":
            return value or expand(match["word"], values)
        if match["operator"] == "+":
            return expand(match["word"], values) if value else ""
        return value

    return _VARIABLE.sub(replace, text)
