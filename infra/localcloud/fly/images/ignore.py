"""`.dockerignore` rules as Docker applies them: a rule also holds below what it names, and the last match wins.

Source: the Docker manual ("Build context", ".dockerignore files") and Go's `filepath.Match`.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Rule:
    """One line; `includes` is true for a line that starts with `!`."""

    pattern: str
    includes: bool
    expression: re.Pattern[str]

    @classmethod
    def read(cls, line: str) -> Self | None:
        """None for an empty line or a comment."""
        text = line.strip()
        if not text or line.startswith("#"):
            return None
        includes = text.startswith("!")
        pattern = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        return cls(pattern, includes, re.compile(translate(pattern)))

    def holds_for(self, path: str) -> bool:
        """Whether it names the path itself or a folder that the path lies in."""
        return any(self.expression.fullmatch(part) for part in _with_parents(path))

    def may_hold_below(self, folder: str) -> bool:
        """Whether it could name something inside the folder, judged part by part."""
        wanted, given = self.pattern.split("/"), folder.split("/")
        for index, part in enumerate(given):
            if index >= len(wanted):
                return False
            if "**" in wanted[index]:
                return True
            if not re.fullmatch(translate(wanted[index]), part):
                return False
        return True


class IgnoreRules:
    """The rules of one ignore file, in order."""

    def __init__(self, lines: list[str]) -> None:
        self._rules = [rule for line in lines if (rule := Rule.read(line)) is not None]

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(path.read_text(encoding="utf-8-sig").splitlines())

    def ignores(self, path: str) -> bool:
        """Whether a path, relative to the context and with `/`, stays out of the build."""
        ignored = False
        for rule in self._rules:
            if rule.includes == ignored and rule.holds_for(path):
                ignored = not rule.includes
        return ignored

    def skips_folder(self, path: str) -> bool:
        """Whether nothing below an ignored folder can come back, so that it need not be read."""
        return self.ignores(path) and not any(rule.includes and rule.may_hold_below(path) for rule in self._rules)


def context_files(context: Path, rules: IgnoreRules) -> Iterator[str]:
    """Relative paths of the files and symbolic links that are part of the build, in sorted order."""
    yield from _walk(context, "", rules)


def _walk(folder: Path, prefix: str, rules: IgnoreRules) -> Iterator[str]:
    for entry in sorted(folder.iterdir()):
        path = f"{prefix}{entry.name}"
        if entry.is_dir() and not entry.is_symlink():
            if not rules.skips_folder(path):
                yield from _walk(entry, f"{path}/", rules)
        elif (entry.is_file() or entry.is_symlink()) and not rules.ignores(path):
            yield path


def translate(pattern: str) -> str:
    """A regular expression for a Go path pattern, in which `**` also stands for any number of folders."""
    expression, position = "", 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*" and pattern.startswith("*", position):
            position += 1
            folders = pattern.startswith("/", position)
            position += folders
            expression += "(?:.*/)?" if folders else ".*"
        elif character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "\\" and position < len(pattern):
            expression += re.escape(pattern[position])
            position += 1
        elif character == "[" and (end := pattern.find("]", position + 1)) > 0:
            expression += f"[{pattern[position:end]}]"
            position = end + 1
        else:
            expression += re.escape(character)
    return expression


def _with_parents(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
