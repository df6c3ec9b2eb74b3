"""`_headers`: which headers Pages sets or removes, by URL pattern. Broken lines are skipped, as by Pages, and reported.

Source: developers.cloudflare.com/pages/configuration/headers and the parser in wrangler's `workers-shared`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.localcloud.cloudflare.site.patterns import Pattern, PatternError, address, compile_pattern, substituted

MOST_RULES = 100
MOST_LINE_CHARACTERS = 2_000
_PATH_LINE = re.compile(r"\S+://|/")


@dataclass
class HeaderRule:
    pattern: Pattern
    set: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


@dataclass
class HeaderRules:
    rules: list[HeaderRule] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def applied(self, headers: Mapping[str, str], host: str, path: str) -> dict[str, str]:
        """The headers (names in lower case) after every matching rule in order.

        A rule replaces what Pages set itself; values that several rules give to one header are joined by commas.
        """
        result = dict(headers)
        from_rules: set[str] = set()
        for rule in self.rules:
            values = rule.pattern.match(host, path)
            if values is None:
                continue
            for name in rule.removed:
                result.pop(name, None)
            for name, text in rule.set.items():
                value = substituted(text, values).strip()
                result[name] = f"{result[name]}, {value}" if name in from_rules and name in result else value
                from_rules.add(name)
        return result


def parse_headers(text: str) -> HeaderRules:
    """Rules in file order; of more than 100 the rest is left out."""
    parsed = HeaderRules()
    rule: HeaderRule | None = None
    in_broken_rule = False
    for number, line in enumerate(map(str.strip, text.split("\n")), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            if len(line) > MOST_LINE_CHARACTERS:
                raise PatternError(f"has {len(line)} characters; the limit is {MOST_LINE_CHARACTERS}")
            if _PATH_LINE.match(line):
                in_broken_rule, rule = True, None
                if len(parsed.rules) == MOST_RULES:
                    parsed.problems.append(f"line {number}: more than {MOST_RULES} rules; the rest is left out")
                    break
                rule = HeaderRule(compile_pattern(address(line, ports=False)))
                parsed.rules.append(rule)
                in_broken_rule = False
            elif not in_broken_rule:
                _read_header(line, rule)
        except PatternError as error:
            parsed.problems.append(f"line {number}: {error}")
    parsed.problems += [f"{rule.pattern.source} has no headers" for rule in parsed.rules if _is_empty(rule)]
    parsed.rules = [rule for rule in parsed.rules if not _is_empty(rule)]
    return parsed


def _is_empty(rule: HeaderRule) -> bool:
    return not rule.set and not rule.removed


def _read_header(line: str, rule: HeaderRule | None) -> None:
    if rule is None:
        raise PatternError(f"{line!r} stands before any path")
    if ":" not in line:
        if not line.startswith("! "):
            raise PatternError(f"{line!r} is no 'Name: value' and no '! Name'")
        rule.removed.append(line[2:].strip().lower())
        return
    name, value = (part.strip() for part in line.split(":", 1))
    if not name or " " in name or not value:
        raise PatternError(f"{line!r} is no 'Name: value'")
    name = name.lower()
    rule.set[name] = f"{rule.set[name]}, {value}" if name in rule.set else value
