"""Flags as the real flyctl parses them (Go's pflag): which exist, and what they take.

`flags.json` is the recorded help of flyctl 2026.8.21; `_UNRECORDED` has the commands that the recording lacks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_RECORDED = Path(__file__).with_name("flags.json")
_TRUE = frozenset(["1", "t", "T", "TRUE", "true", "True"])
_FALSE = frozenset(["0", "f", "F", "FALSE", "false", "False"])


@dataclass(frozen=True)
class Flag:
    name: str
    short: str | None
    kind: str
    default: str | None = None
    bare: str | None = None
    """The value of the flag when it is given without one."""


_APP = Flag("--app", "-a", "string")
_CONFIG = Flag("--config", "-c", "string")
_DETACH = Flag("--detach", None, "bool")
_DNS_CHECKS = Flag("--dns-checks", None, "bool", "true")
_STAGE = Flag("--stage", None, "bool")
_HELP = Flag("--help", "-h", "bool")
_JSON = Flag("--json", "-j", "bool")
_SELECT = Flag("--select", "-s", "bool")
_GLOBAL = (Flag("--access-token", "-t", "string"), Flag("--debug", None, "bool"), Flag("--verbose", None, "bool"))
_UNRECORDED: Mapping[tuple[str, ...], tuple[Flag, ...]] = {
    ("version",): (_HELP, _JSON),
    ("auth", "whoami"): (_HELP, _JSON),
    ("secrets", "set"): (_APP, _CONFIG, _DETACH, _DNS_CHECKS, _HELP, _STAGE),
    ("secrets", "deploy"): (_APP, _CONFIG, _DETACH, _DNS_CHECKS, _HELP),
    ("scale", "show"): (_APP, _CONFIG, _HELP, _JSON),
    ("machine", "start"): (_APP, _CONFIG, _HELP, _SELECT),
    ("machine", "stop"): (
        *(_APP, _CONFIG, _HELP, Flag("--select", None, "bool")),
        *(Flag("--signal", "-s", "string"), Flag("--timeout", None, "int"), Flag("--wait-timeout", "-w", "string")),
    ),
    ("machine", "destroy"): (
        *(_APP, _CONFIG, _HELP, _SELECT, Flag("--force", "-f", "bool"), Flag("--image", "-i", "string")),
    ),
    ("certs", "remove"): (_APP, _CONFIG, _HELP, Flag("--yes", "-y", "bool")),
}


class FlagError(Exception):
    """The message is pflag's; `known` lists the command's flags as its usage does."""

    def __init__(self, message: str, flags: Sequence[Flag]) -> None:
        super().__init__(message)
        self.known = "\n".join(
            f"  {f'{flag.short},' if flag.short else '   '} {flag.name}{'' if flag.kind == 'bool' else f' {flag.kind}'}"
            for flag in flags
        )


@dataclass
class Values:
    """Given values by flag name; a flag not given has its default."""

    flags: Sequence[Flag]
    given: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        values = self.given.get(name)
        return values[-1] if values else self._flag(name).default

    def texts(self, name: str) -> list[str]:
        return self.given.get(name, [])

    def on(self, name: str) -> bool:
        return self.text(name) in _TRUE

    def _flag(self, name: str) -> Flag:
        return next(flag for flag in self.flags if flag.name == name)


def flags_of(command: tuple[str, ...]) -> tuple[Flag, ...]:
    if command in _UNRECORDED:
        return _UNRECORDED[command] + _GLOBAL
    recorded = json.loads(_RECORDED.read_bytes())["commands"][" ".join(command)]["flags"]
    return tuple(
        Flag(flag["name"], flag["short"], flag["type"], flag["default"], flag["no_value_means"]) for flag in recorded
    )


def parse(argv: Sequence[str], flags: Sequence[Flag]) -> tuple[Values, list[str]]:
    """Values and arguments, which may be mixed; after `--` there are only arguments. Raises FlagError."""
    values = Values(flags)
    arguments: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            return values, [*arguments, *words]
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        flag, value = _split(word, flags)
        if value is None:
            value = "true" if flag.kind == "bool" else flag.bare
        if value is None:
            value = next(words, None)
        if value is None:
            raise FlagError(f"flag needs an argument: {word}", flags)
        values.given.setdefault(flag.name, []).extend(_checked(flag, value, flags))
    return values, arguments


def _split(word: str, flags: Sequence[Flag]) -> tuple[Flag, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        for flag in flags:
            if flag.name == name:
                return flag, value if equals else None
        raise FlagError(f"unknown flag: {name}", flags)
    for flag in flags:
        if flag.short == word[:2]:
            return flag, word[2:].removeprefix("=") or None
    raise FlagError(f"unknown shorthand flag: '{word[1]}' in {word}", flags)


def _checked(flag: Flag, value: str, flags: Sequence[Flag]) -> list[str]:
    """One value; several for a list with commas (`strings`)."""
    name = f"{flag.short}, {flag.name}" if flag.short else flag.name
    if flag.kind == "bool" and value not in _TRUE | _FALSE:
        reason = f'strconv.ParseBool: parsing "{value}": invalid syntax'
        raise FlagError(f'invalid argument "{value}" for "{name}" flag: {reason}', flags)
    if flag.kind == "int" and not value.lstrip("-").isdigit():
        reason = f'strconv.ParseInt: parsing "{value}": invalid syntax'
        raise FlagError(f'invalid argument "{value}" for "{name}" flag: {reason}', flags)
    return value.split(",") if flag.kind == "strings" else [value]
