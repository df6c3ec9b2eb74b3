"""Which calls of flyctl the project's files make, and what is wrong with one by the recorded help of the real one."""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from infra.localcloud.fly.flyctl.flags import Flag, FlagError, parse
from infra.sources import ROOT
from tests.infra.localcloud.fly.recorded import load

HELP = Path(__file__).parents[1] / "recorded/flags.json"
# Commands that neither the recorded help nor a recorded call knows: their flags are from memory, checked by nobody.
UNRECORDED: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("tokens", "create", "org"): ("--expiry", "--name", "--org"),
    ("tokens", "create", "deploy"): ("--app", "--expiry", "--name"),
    ("tokens", "create", "readonly"): ("--expiry", "--name", "--org"),
    ("tokens", "list"): ("--app", "--json", "--org", "--scope"),
    ("tokens", "revoke"): (),
    ("orgs", "create"): ("--json",),
    ("auth", "login"): (),
    ("machine", "destroy"): ("--app", "--force"),
}
_INLINE = re.compile(r"`(flyctl (?!is )[^`]+)`")
_LINE = re.compile(r"^[\s$>-]*(?:run: )?((?:[A-Z_]+=\S+ )*fly(?:ctl)? .+)$")


@cache
def known() -> dict[tuple[str, ...], tuple[Flag, ...]]:
    """Flags by command, as the real one takes them; a command's other name is in its usage."""
    commands: dict[tuple[str, ...], tuple[Flag, ...]] = {}
    for name, command in json.loads(HELP.read_text())["commands"].items():
        flags = tuple(
            Flag(flag["name"], flag["short"], flag["type"], flag["default"], flag["no_value_means"])
            for flag in command["flags"]
        )
        commands[tuple(name.split())] = flags
        other = re.match(r"flyctl ((?:[a-z][\w-]* ?)+)", command["usage"])
        assert other is not None, command["usage"]
        commands[tuple(other[1].split())] = flags
    every = {flag.name: flag for flags in commands.values() for flag in flags}
    for command, names in {**_recorded_calls(commands), **UNRECORDED}.items():
        commands.setdefault(command, tuple(every.get(name, Flag(name, None, "string")) for name in names))
    return commands


def _recorded_calls(commands: Mapping[tuple[str, ...], tuple[Flag, ...]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Commands that are not in the recorded help but were called with success, with the flags that they took."""
    long = {flag.short: flag.name for flags in commands.values() for flag in flags if flag.short}
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for record in load().values():
        words = tuple(record.argv[1:3])
        if record.exit == 0 and words not in commands and words[:1] not in commands:
            given = [word.partition("=")[0] for word in record.argv if word.startswith("-")]
            found[words] = tuple({*found.get(words, ()), *(long.get(name, name) for name in given)})
    return found


def complaint(words: Sequence[str]) -> str | None:
    """None when the real flyctl takes the call; `words` come after `flyctl`, and `…` stands for any value."""
    for length in (3, 2, 1):
        flags = known().get(tuple(words[:length]))
        if flags is not None:
            try:
                parse([_filled(word) for word in words[length:]], flags)
            except FlagError as error:
                return f"flyctl {' '.join(words)}: {error}"
            return None
    return f"flyctl {' '.join(words)}: unknown command"


def _filled(word: str) -> str:
    """A number is a value of every type but bool, which never stands alone."""
    return word.replace("…", "1")


def in_text(text: str) -> Iterator[list[str]]:
    """Calls in a document or a workflow: code spans, and lines that are a command. Names in capitals are values."""
    for line in text.replace("\\\n", " ").splitlines():
        match = _LINE.match(line)
        for command in [match[1]] if match else _INLINE.findall(line):
            words = shlex.split(re.split(r"[|;&<>]|\$\(", command.partition(" #")[0])[0], comments=False)
            while "=" in words[0]:
                words = words[1:]
            values = [re.sub(r"^[A-Z_]+$|\$\{?\{?.*", "…", word) for word in words[1:]]
            if values and re.fullmatch(r"[a-z][\w-]*", values[0]):
                yield values


def in_code(path: Path) -> Iterator[list[str]]:
    """The leading constant words of every call in a Python file: of `flyctl.call`, `flyctl.query`, and of lists."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.List) and _constants(node.elts[:1]) == ["flyctl"]:
            yield _constants(node.elts[1:])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("flyctl.call", "flyctl.query"):
            yield _constants(node.args[1:])


def flags_in_code(path: Path) -> set[str]:
    """Every constant that looks like a flag, but those of other programs."""
    tree = ast.parse(path.read_text())
    others = {
        id(item)
        for node in ast.walk(tree)
        if isinstance(node, ast.List) and _constants(node.elts[:1]) not in ([], ["flyctl"])
        if not _constants(node.elts[:1])[0].startswith("-")
        for item in node.elts
    }
    constants = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others
    )
    return {match[0] for value in constants if (match := re.match(r"--[a-z][a-z-]+", value))}


def _constants(nodes: Sequence[ast.expr]) -> list[str]:
    words: list[str] = []
    for node in nodes:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            break
        words.append(node.value)
    return words


def python_files() -> list[Path]:
    """Where a call of ours may be; the stand-in itself is not ours."""
    standing_in = ROOT / "infra/localcloud/fly"
    return [path for path in sorted((ROOT / "infra").rglob("*.py")) if standing_in not in path.parents]


def documents() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("infra/**/*.md"), ROOT / "Makefile"]
    workflows = [*ROOT.glob(".github/**/*.yml"), *ROOT.glob(".github/**/*.yaml")]
    return sorted({*pages, *workflows, *(ROOT / "app").glob("*.md")})
