"""`Pulumi.yaml`: the project's name, where its program is, and which settings it declares.

Source: pulumi/pulumi, sdk/go/common/workspace/project.go and config.go.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.rehearsal import yaml_text

FILE = "Pulumi.yaml"
_FORMER_NAMES = {"String": "string"}


class ProjectError(RuntimeError):
    """Pulumi.yaml cannot be used; the message names the file and the key."""


@dataclass(frozen=True)
class Declared:
    """One entry of `config:`. `type` is "" where any will do; `items` describes the elements of an array."""

    key: str
    type: str = ""
    items: "Declared | None" = None
    default: Any = None
    value: Any = None
    secret: bool = False


@dataclass(frozen=True)
class Project:
    """`folder` holds Pulumi.yaml, `program` is the folder that is run."""

    name: str
    folder: Path
    program: Path
    declared: tuple[Declared, ...] = field(default_factory=tuple)


def read_project(folder: Path) -> Project:
    """Raises ProjectError."""
    path = folder / FILE
    try:
        document = yaml_text.load(path.read_text())
    except OSError as error:
        raise ProjectError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is no YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise ProjectError(f"{path} needs a `name`")
    name = document["name"]
    entries = document.get("config") or {}
    if not isinstance(entries, dict):
        raise ProjectError(f"{path}: `config` must be a mapping of settings, not {entries!r}")
    declared = tuple(_declared(path, name, str(key), entry) for key, entry in entries.items())
    return Project(name, folder, (folder / (document.get("main") or ".")).resolve(), declared)


def _declared(path: Path, project: str, key: str, entry: object) -> Declared:
    """Either the full form, or a plain value that is the default."""
    full = key if ":" in key else f"{project}:{key}"
    if not isinstance(entry, dict):
        return Declared(full, type=_type_of(entry), default=entry)
    foreign = full.split(":", 1)[0] != project
    if foreign and ("type" in entry or "default" in entry):
        raise ProjectError(f"{path}: {key}: a setting of another namespace can only have a `value`")
    if "default" in entry and "value" in entry:
        raise ProjectError(f"{path}: {key}: has both a `default` and a `value`; give one of them")
    return _described(path, full, entry)


def _described(path: Path, key: str, entry: dict[str, Any]) -> Declared:
    kind = str(entry.get("type") or "")
    items = entry.get("items")
    if kind == "array" and not isinstance(items, dict):
        raise ProjectError(f"{path}: {key}: an array needs `items` with the type of its elements")
    return Declared(
        key=key,
        type=_FORMER_NAMES.get(kind, kind),
        items=_described(path, key, items) if isinstance(items, dict) else None,
        default=entry.get("default"),
        value=entry.get("value"),
        secret=bool(entry.get("secret")),
    )


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", str: "string", float: "number"}.get(type(value), "")
