"""What a Dockerfile makes of a build context: environment, folder, copied files and command of its last stage.

`RUN` is never carried out (a machine is a process of this computer, which has the dependencies already), neither is
what needs another image: both are listed in `skipped`.
"""

import json
import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from infra.localcloud.fly.errors import InvalidError
from infra.localcloud.fly.images.dockerfile import Instruction, parse
from infra.localcloud.fly.images.variables import expand


@dataclass(frozen=True)
class Copy:
    """`sources` are patterns relative to the context; `destination` is absolute and ends with `/` for a folder."""

    sources: tuple[str, ...]
    destination: str


@dataclass(frozen=True)
class Recipe:
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    copies: tuple[Copy, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        return {**self.arguments, **self.environment}

    @property
    def argv(self) -> tuple[str, ...]:
        return self.entrypoint + self.command


def read_recipe(source: str, build_arguments: Mapping[str, str], target: str = "") -> Recipe:
    """The recipe of the stage `target`, else of the last one; raises InvalidError where Docker refuses the file."""
    stages: dict[str, Recipe] = {}
    shared, stage, name = Recipe(), Recipe(), ""
    begun = False
    for instruction in parse(source):
        if instruction.keyword == "FROM":
            if target and name == target:
                break
            image, name = _stage(instruction.text)
            stage, begun = stages.get(image, Recipe()), True
        elif begun:
            stage = _apply(instruction, stage, shared, build_arguments)
        else:
            shared = _apply(instruction, shared, shared, build_arguments)
        stages[name] = stage
    if target and name != target:
        raise InvalidError(f'failed to solve: target stage "{target}" could not be found')
    if not stage.argv:
        raise InvalidError(
            "the Dockerfile's last stage has neither CMD nor ENTRYPOINT, so a machine has nothing to start"
        )
    return stage


def _stage(text: str) -> tuple[str, str]:
    """The image or stage that it starts from, and its own name or an empty one."""
    image, *rest = [word.lower() for word in text.split() if not word.startswith("--")]
    return image, rest[1] if len(rest) == 2 and rest[0] == "as" else ""


def _apply(instruction: Instruction, stage: Recipe, shared: Recipe, given: Mapping[str, str]) -> Recipe:
    text = instruction.text
    match instruction.keyword:
        case "ENV":
            return replace(stage, environment={**stage.environment, **_assignments(instruction, stage.variables)})
        case "ARG":
            name, equals, default = expand(text, stage.variables).partition("=")
            value = given.get(name, shared.arguments.get(name, _unquoted(default) if equals else None))
            return stage if value is None else replace(stage, arguments={**stage.arguments, name: value})
        case "WORKDIR":
            return replace(
                stage, folder=posixpath.normpath(posixpath.join(stage.folder, expand(text, stage.variables)))
            )
        case "COPY" | "ADD":
            return _copy(instruction, stage)
        case "CMD":
            return replace(stage, command=_argv(text))
        case "ENTRYPOINT":
            return replace(stage, entrypoint=_argv(text), command=())
        case _:
            return replace(stage, skipped=(*stage.skipped, str(instruction)))


def _copy(instruction: Instruction, stage: Recipe) -> Recipe:
    text = expand(instruction.text, stage.variables)
    words = [str(word) for word in json.loads(text)] if text.startswith("[") else shlex.split(text)
    options = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    elsewhere = any(option.startswith("--from=") for option in options) or any("://" in path for path in paths)
    if elsewhere or instruction.heredoc:
        return replace(stage, skipped=(*stage.skipped, str(instruction)))
    if len(paths) < 2:
        raise InvalidError(
            f"failed to solve: dockerfile parse error on line {instruction.line}: "
            f"{instruction.keyword} requires at least two arguments, but only {len(paths)} were provided"
        )
    *sources, destination = paths
    folder = destination.endswith(("/", "/.")) or destination in (".", "..") or len(sources) > 1
    absolute = posixpath.normpath(posixpath.join(stage.folder, destination))
    cleaned = tuple(posixpath.normpath(source).lstrip("/") or "." for source in sources)
    return replace(stage, copies=(*stage.copies, Copy(cleaned, absolute.rstrip("/") + "/" if folder else absolute)))


def _assignments(instruction: Instruction, values: Mapping[str, str]) -> dict[str, str]:
    text = expand(instruction.text, values)
    name, space, rest = text.partition(" ")
    if "=" not in name and space:
        return {name: rest.strip()}
    pairs = [word.partition("=") for word in shlex.split(text)]
    if not all(equals for _, equals, _ in pairs):
        raise InvalidError(
            f"failed to solve: dockerfile parse error on line {instruction.line}: "
            "Syntax error - can't find = in ENV; must be of the form: name=value"
        )
    return {name: value for name, _, value in pairs}


def _argv(text: str) -> tuple[str, ...]:
    """The exec form as it is, the shell form for /bin/sh."""
    try:
        words = json.loads(text)
    except json.JSONDecodeError:
        words = None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple(words)
    return ("/bin/sh", "-c", text)


def _unquoted(text: str) -> str:
    return " ".join(shlex.split(text)) if text else ""
