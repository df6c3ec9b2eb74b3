"""One layer of an image as what the stand-in does for it: files to copy, commands to run, lines that it leaves out.

A layer without a base (a Python, a registry's image) is the stand-in's own Python. Installers of packages are left out:
containers use the packages beside that Python. Absolute paths are the image's, except below the folders that programs
come from; in a command they become paths in the image's folder.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modal_proto import api_pb2

from infra.localcloud.modal.rpc import unimplemented

HOME = PurePosixPath("/root")
_OF_THE_MACHINE = "bin|dev|etc|lib|lib32|lib64|proc|run|sbin|sys|usr|var"
_ABSOLUTE = re.compile(rf"(?<![\w/.~)}}*?-])/(?!/|(?:{_OF_THE_MACHINE})(?![\w.-]))(?=[\w.]|[\s'\";&|)]|$)")
_INSTALLER = re.compile(r"(?:python3? -m )?(?:\S*/)?(?:pip3?|uv|apt|apt-get|micromamba|poetry)(?=\s|$)")
_WITHOUT_EFFECT = frozenset({"FROM", "CMD", "ENTRYPOINT", "ENV", "LABEL", "EXPOSE"})


@dataclass(frozen=True)
class Copy:
    """`source` is `.` or one file of the layer's context; `target` is absolute, a folder where it ends with `/`."""

    source: str
    target: str


@dataclass(frozen=True)
class Run:
    """A shell's command, in the working folder of the image."""

    command: str
    folder: PurePosixPath


@dataclass(frozen=True)
class Skipped:
    line: str


Step = Copy | Run | Skipped


def steps(definition: api_pb2.Image) -> list[Step]:
    """Raises UNIMPLEMENTED for a line that changes the image in a way that the stand-in does not imitate."""
    if not definition.base_images:
        return []
    return list(_steps(definition.dockerfile_commands))


def changes_files(layer: list[Step]) -> bool:
    return any(isinstance(step, Copy | Run) for step in layer)


def variables(definition: api_pb2.Image) -> dict[str, str]:
    """Those of the `ENV` lines of this layer."""
    found: dict[str, str] = {}
    for line in definition.dockerfile_commands:
        verb, _, assignments = line.strip().partition(" ")
        if verb.upper() == "ENV":
            found |= dict(pair.split("=", 1) for pair in shlex.split(assignments) if "=" in pair)
    return found


def command_in(folder: Path, command: str) -> str:
    """The command with the image's absolute paths below `folder`."""
    return _ABSOLUTE.sub(lambda match: f"{folder}/", command)


def variables_in(folder: Path, values: Mapping[str, str]) -> dict[str, str]:
    """The values, of which those that are paths of something in the image lead there."""
    return {name: _value_in(folder, value) for name, value in values.items()}


def _value_in(folder: Path, value: str) -> str:
    below = value.strip("/")
    is_there = value.startswith("/") and below and ".." not in below.split("/") and (folder / below).exists()
    return str(folder / below) if is_there else value


def _steps(lines: Iterable[str]) -> Iterator[Step]:
    folder = HOME
    for line in lines:
        verb, _, text = line.strip().partition(" ")
        match verb.upper():
            case "RUN" if _INSTALLER.match(text):
                yield Skipped(line)
            case "RUN":
                yield Run(text, folder)
            case "COPY" if text.startswith("--from="):
                yield Skipped(line)
            case "COPY" if len(shlex.split(text)) == 2 and not text.startswith("--"):
                source, target = shlex.split(text)
                yield Copy(source, _absolute(folder, target))
            case "WORKDIR":
                folder = PurePosixPath(_absolute(folder, text))
            case known if known not in _WITHOUT_EFFECT:
                raise unimplemented(f"ImageGetOrCreate: the line `{line}`")


def _absolute(folder: PurePosixPath, path: str) -> str:
    return str(folder / path).rstrip("/") + ("/" if path.endswith("/") else "")
