"""`NAME=VALUE` lines as `flyctl secrets import` reads them, with its traps.

Source: flyctl's `internal/command/secrets/parser.go` of 2026: a line that starts with `#` is a comment; an unquoted `#`
ends a value; one pair of quotes around a value is removed and nothing is unescaped; three double quotes span lines; a
line of 64 KiB or more ends the reading silently.
"""

from collections.abc import Iterator

from infra.localcloud.fly.flyctl.errors import CommandError

LONGEST_LINE_BYTES = 64 * 1024
_TRIPLE = '"""'


def parse(text: str) -> dict[str, str]:
    """Raises CommandError for a line without `=`; the message repeats the line, as the real one does."""
    secrets: dict[str, str] = {}
    lines = _lines(text)
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals:
            reason = f"Secrets must be provided as NAME=VALUE pairs ({line} is invalid)"
            raise CommandError(f"Failed to parse secrets from stdin: {reason}")
        value = _without_comment(value.lstrip(" "))
        if value.startswith(_TRIPLE) and not (value.endswith(_TRIPLE) and len(value) >= 2 * len(_TRIPLE)):
            spanned = _until_triple(value.removeprefix(_TRIPLE), lines)
            if spanned is None:
                break
            secrets[name.strip()] = spanned
        else:
            secrets[name.strip()] = _unquoted(value)
    return secrets


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if len(line.encode()) >= LONGEST_LINE_BYTES:
            return
        yield line.removesuffix("\r")


def _without_comment(value: str) -> str:
    before, mark, _ = value.partition("#")
    return before.rstrip(" ") if mark and before.count('"') % 2 == 0 else value


def _until_triple(first: str, lines: Iterator[str]) -> str | None:
    """The lines up to the one that ends with the quotes; None when none does, and flyctl drops the value."""
    collected = [first]
    for line in lines:
        if line.endswith(_TRIPLE):
            return "\n".join([*collected, line.removesuffix(_TRIPLE)])
        collected.append(line)
    return None


def _unquoted(value: str) -> str:
    if value.startswith(_TRIPLE):
        return value[3:-3]
    for quote in ('"', "'"):
        if value == quote:
            raise CommandError("Failed to parse secrets from stdin: a value is a single quote, on which flyctl panics")
        if value.startswith(quote) and value.endswith(quote):
            return value[1:-1]
    return value
