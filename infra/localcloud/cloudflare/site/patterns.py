"""The URL patterns of `_headers` and `_redirects`: one `*`, `:placeholders`, optionally `https://host` in front.

As in Pages' own asset server: a placeholder stops at "/" (in the host also at "."), the port and scheme of a request do
not count.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

PLACEHOLDER = re.compile(r":([A-Za-z]\w*)", re.ASCII)
_ABSOLUTE = re.compile(r"https://+(?P<host>[^/]+)/?(?P<path>.*)")
_PORT = re.compile(r":\d+$")
_KEPT_IN_PATHS = "!$%&'()*+,-./:;=@[\\]_|~"


class PatternError(ValueError):
    """Why a pattern or address is not taken."""


@dataclass(frozen=True)
class Pattern:
    source: str
    expression: re.Pattern[str]

    def match(self, host: str, path: str) -> dict[str, str] | None:
        """The values of splat and placeholders when a request for this host (no port) and encoded path fits."""
        found = self.expression.fullmatch(f"https://{host}{path}" if self.source.startswith("https://") else path)
        return None if found is None else found.groupdict()


def compile_pattern(source: str) -> Pattern:
    """Raises PatternError for two wildcards, a wildcard beside `:splat`, or a placeholder used twice."""
    names = PLACEHOLDER.findall(source)
    wildcards = source.count("*")
    if wildcards > 1:
        raise PatternError(f"{source} has {wildcards} wildcards; use one, and placeholders such as :name")
    if len(set(names)) < len(names) or (wildcards and "splat" in names):
        raise PatternError(f"{source} uses a placeholder twice; '*' is :splat")
    scheme, host, path = re.fullmatch(r"(https://)?((?<=//)[^/]*)?(.*)", source, re.DOTALL).groups()  # type: ignore[union-attr]
    expression = re.escape(scheme or "") + _expression(host or "", "[^/.]+") + _expression(path, "[^/]+")
    return Pattern(source, re.compile(expression))


def _expression(text: str, placeholder: str) -> str:
    parts = re.split(r"(\*|:[A-Za-z]\w*)", text, flags=re.ASCII)
    return "".join(_part(part, placeholder) for part in parts)


def _part(part: str, placeholder: str) -> str:
    if part == "*":
        return "(?P<splat>.*)"
    if PLACEHOLDER.fullmatch(part):
        return f"(?P<{part[1:]}>{placeholder})"
    return re.escape(part)


def substituted(text: str, values: dict[str, str]) -> str:
    """The text with `:name` replaced by the values a match gave."""
    for name, value in values.items():
        text = text.replace(f":{name}", value)
    return text


def has_host(address: str) -> bool:
    return _ABSOLUTE.match(address) is not None


def address(token: str, *, relative_only: bool = False, ports: bool = True, query: bool = False) -> str:
    """A pattern or target in normal form: a path, or https with host and path; raises PatternError.

    Query and fragment are dropped unless `query`; a relative-only one may leave out its leading slash.
    """
    absolute = _ABSOLUTE.match(token)
    if absolute is None:
        if relative_only and not token.startswith("/"):
            token = f"/{token}"
        if not token.startswith("/"):
            raise PatternError(f"{token} should begin with '/' or 'https://'")
        return _path(token, query)
    if relative_only:
        raise PatternError(f"{token} is absolute; only a path is allowed here")
    if not ports and _PORT.search(absolute["host"]):
        raise PatternError(f"{token} names a port; ports do not count")
    return f"https://{absolute['host']}{_path('/' + absolute['path'].removeprefix('/'), query)}"


def _path(token: str, query: bool) -> str:
    end = min((token.find(mark) for mark in "?#" if mark in token), default=len(token))
    return quote(token[:end], safe=_KEPT_IN_PATHS) + (token[end:] if query else "")
