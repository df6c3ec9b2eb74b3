"""`_redirects`: redirects and 200 rewrites by path. Broken lines are skipped, as Pages does, and reported.

Rules without wildcards that stand above the first one with are looked up first (static), the others in file order.
Source: developers.cloudflare.com/pages/configuration/redirects and the parser in wrangler's `workers-shared`.
"""

import re
from dataclasses import dataclass, field

from infra.localcloud.cloudflare.site.patterns import (
    PLACEHOLDER,
    Pattern,
    PatternError,
    address,
    compile_pattern,
    has_host,
    substituted,
)

STATUSES = (200, 301, 302, 303, 307, 308)
REWRITE = 200
MOST_STATIC_RULES = 2_000
MOST_DYNAMIC_RULES = 100
MOST_LINE_CHARACTERS = 2_000
_INDEX = re.compile(r".*/index(?:\.html)?")


@dataclass(frozen=True)
class Redirect:
    target: str
    status: int


@dataclass
class Redirects:
    static: dict[str, Redirect] = field(default_factory=dict)
    dynamic: list[tuple[Pattern, Redirect]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def find(self, host: str, path: str) -> Redirect | None:
        """The first rule that fits the encoded path, its target filled in."""
        if path in self.static:
            return self.static[path]
        for pattern, redirect in self.dynamic:
            values = pattern.match(host, path)
            if values is not None:
                return Redirect(_filled(redirect.target, values), redirect.status)
        return None


def parse_redirects(text: str) -> Redirects:
    parsed = Redirects()
    for number, line in enumerate(map(str.strip, text.split("\n")), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            _read(line, parsed)
        except PatternError as error:
            parsed.problems.append(f"line {number}: {error}")
    return parsed


def _read(line: str, parsed: Redirects) -> None:
    if len(line) > MOST_LINE_CHARACTERS:
        raise PatternError(f"has {len(line)} characters; the limit is {MOST_LINE_CHARACTERS}")
    tokens = re.sub(r"\s+#.*$", "", line).split()
    if len(tokens) not in (2, 3):
        raise PatternError(f"{line!r} has {len(tokens)} parts; write 'source target [status]'")
    source = address(tokens[0], relative_only=True)
    redirect = Redirect(address(tokens[1], query=True), _status(tokens[2] if len(tokens) == 3 else "302"))
    _check(source, redirect, parsed)
    is_static = "*" not in source and not PLACEHOLDER.search(source)
    if is_static and not parsed.dynamic:
        _check_room(len(parsed.static), MOST_STATIC_RULES)
        parsed.static[source] = redirect
    else:
        _check_room(len(parsed.dynamic), MOST_DYNAMIC_RULES)
        parsed.dynamic.append((compile_pattern(source), redirect))


def _status(token: str) -> int:
    if not token.isdigit() or int(token) not in STATUSES:
        raise PatternError(f"status {token} is not one of {', '.join(map(str, STATUSES))}")
    return int(token)


def _check(source: str, redirect: Redirect, parsed: Redirects) -> None:
    if not has_host(redirect.target) and source.endswith(("/*", "/")) and _INDEX.fullmatch(redirect.target):
        raise PatternError(f"{source} to {redirect.target} would loop, since Pages strips index.html; remove the rule")
    if redirect.status == REWRITE and has_host(redirect.target):
        raise PatternError(f"{redirect.target} is another host; a 200 rewrite stays within the site")
    if source in parsed.static or any(pattern.source == source for pattern, _ in parsed.dynamic):
        raise PatternError(f"{source} has a rule already; the first one counts")


def _check_room(count: int, most: int) -> None:
    if count >= most:
        raise PatternError(f"more than {most} rules of this kind; this one is left out")


def _filled(target: str, values: dict[str, str]) -> str:
    filled = substituted(target, values).strip()
    if re.match(r"(?:\w+://|//[^/\\\s?#])", target.strip()):
        return filled
    end = min((filled.find(mark) for mark in "?#" if mark in filled), default=len(filled))
    return re.sub(r"[/\\]+", "/", filled[:end]) + filled[end:]
